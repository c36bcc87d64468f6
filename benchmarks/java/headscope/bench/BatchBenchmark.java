package headscope.bench;

import headscope.backend.Backend;
import headscope.backend.cpu.CpuBackend;
import headscope.metric.Metric;
import headscope.model.Batch;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Transformer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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

/** 64 texts of the demo's length through the demo checkpoint, in batches of several sizes. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 8, time = 2)
@Fork(2)
public class BatchBenchmark {
    static final int TEXTS = 64;
    private static final int MIN_TOKENS = 40;
    private static final int MAX_TOKENS = 50;
    private static final List<Metric> METRICS = List.of(new Metric.AttentionScore(), new Metric.LaplacianEigenvalues(10));

    @Param({"1", "16", "64"})
    int batch;

    private final Backend backend = new CpuBackend(AttentionStatisticsBenchmark.THREADS);
    private Transformer model;
    private List<Batch> batches;

    @Setup
    public void open() {
        try (Checkpoint checkpoint = Checkpoint.open(Path.of("models/demo"))) {
            model = new Transformer(checkpoint, backend);
        }
        Random random = new Random(1);
        int vocabulary = model.config().vocabulary().size();
        List<int[]> texts = IntStream.range(0, TEXTS)
                .mapToObj(text -> random.ints(random.nextInt(MIN_TOKENS, MAX_TOKENS + 1), 0, vocabulary).toArray())
                .toList();
        batches = IntStream.range(0, TEXTS / batch)
                .mapToObj(i -> new Batch(texts.subList(i * batch, (i + 1) * batch)))
                .toList();
    }

    @TearDown
    public void close() {
        model.close();
        backend.close();
    }

    /** Reads the texts as spectra does: every head of a layer is measured while its statistics are there. */
    @Benchmark
    public float all() {
        LayerHook measuring = new LayerHook() {
            @Override
            public void attention(int layer, Attention attention) {
                backend.measure(METRICS, attention.statistics(), attention.spec());
            }
        };
        float sum = 0;
        for (Batch texts : batches) {
            sum += backend.download(model.logits(model.observe(texts, measuring), new int[] {texts.rows() - 1}))[0];
        }
        return sum;
    }
}
