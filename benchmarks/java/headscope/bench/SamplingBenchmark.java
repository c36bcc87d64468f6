package headscope.bench;

import headscope.backend.Backend;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.Tensor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** One token drawn from the logits of a large vocabulary (Gemma 3's). */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 8, time = 1)
@Fork(1)
public class SamplingBenchmark {
    @Param("262144")
    int words;

    @Param({"0.9", "1"})
    double topP;

    private final Backend backend = new CpuBackend(AttentionStatisticsBenchmark.THREADS);
    private Tensor logits;

    @Setup
    public void open() {
        logits = new Gaussian().tensor(backend, 1, words);
    }

    @TearDown
    public void close() {
        logits.buffer().close();
        backend.close();
    }

    @Benchmark
    public int[] draw() {
        return backend.draw(logits, 0.7, topP, new double[] {0.99});
    }
}
