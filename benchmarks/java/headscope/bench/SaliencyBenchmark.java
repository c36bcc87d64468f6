package headscope.bench;

import headscope.analysis.HeadName;
import headscope.analysis.Join;
import headscope.analysis.Progress;
import headscope.analysis.RunRequest;
import headscope.analysis.saliency.Saliency;
import headscope.analysis.saliency.SaliencyRequest;
import headscope.analysis.saliency.SaliencySummary;
import headscope.backend.DeviceChoice;
import headscope.result.SaliencyCell;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The saliency of one sentence on the demo checkpoint, in a new process with a cold JIT: from opening the model to the
 * last number written, without the picture.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(8)
public class SaliencyBenchmark {
    private SaliencyRequest request;

    @Setup
    public void open() throws IOException {
        Path folder = Files.createTempDirectory("headscope-benchmark");
        request = new SaliencyRequest(
                new RunRequest(
                        Path.of("models/demo"), folder.resolve("run"), DeviceChoice.of("cpu"), false, false, ""),
                Optional.of("<CHI> painted a picture of a horse <CHI> my favorite animal is the"), Optional.empty(),
                Join.AUTO, Optional.of("0-6:<ENV>,7-12:<LAN>"), Optional.empty(), false, new SaliencyRequest.Objective.Logit(),
                new SaliencyRequest.View(Optional.<HeadName>empty(), SaliencyCell.MAX, false, false), 0.3,
                new SaliencyRequest.Ablation(List.of(), 0, 0));
    }

    @Benchmark
    public SaliencySummary sentence() {
        try (Saliency saliency = Saliency.open(request, InputStream.nullInputStream())) {
            saliency.observe(Progress.SILENT);
            saliency.enlarge(Progress.SILENT);
            SaliencySummary found = saliency.write();
            saliency.commit();
            return found;
        }
    }
}
