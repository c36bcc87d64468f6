package headscope.bench;

import headscope.backend.Backend;
import headscope.backend.cpu.CpuBackend;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.io.IOException;
import java.util.Random;
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

/** GPT-2 small: a text through all layers, and the logits of its last token. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 8, time = 2)
@Fork(2)
public class ForwardBenchmark {
    static final int TOKENS = 512;

    @Param({"true", "false"})
    boolean observed;

    private final Backend backend = new CpuBackend(AttentionStatisticsBenchmark.THREADS);
    private Transformer model;
    private Sequence text;
    private int[] ids;

    @Setup
    public void open() throws IOException {
        try (RandomCheckpoint random = RandomCheckpoint.write();
                Checkpoint checkpoint = Checkpoint.open(random.folder())) {
            model = new Transformer(checkpoint, backend);
        }
        text = observed ? model.sequence(TOKENS) : model.sequenceWithoutStatistics(TOKENS);
        ids = new Random(1).ints(TOKENS, 0, RandomCheckpoint.VOCABULARY).toArray();
    }

    @TearDown
    public void close() {
        text.close();
        model.close();
        backend.close();
    }

    @Benchmark
    public Tensor forward() {
        text.clear();
        Tensor hidden = model.forward(text, ids, LayerHook.NONE);
        return model.logits(hidden.rows(TOKENS - 1, 1));
    }
}
