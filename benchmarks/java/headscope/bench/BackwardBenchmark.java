package headscope.bench;

import headscope.backend.Backend;
import headscope.backend.cpu.CpuBackend;
import headscope.model.Batch;
import headscope.model.Checkpoint;
import headscope.model.GradientHook;
import headscope.model.LayerHook;
import headscope.model.Tape;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Random;
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
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** GPT-2 small: the loss at a text's last token, and its gradients at the heads of every layer. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 8, time = 2)
@Fork(2)
public class BackwardBenchmark {
    private static final int[] LAST = {ForwardBenchmark.TOKENS - 1};

    private final Backend backend = new CpuBackend(AttentionStatisticsBenchmark.THREADS);
    private Transformer model;
    private Batch batch;
    private Tape tape;

    @Setup
    public void open() throws IOException {
        try (RandomCheckpoint random = RandomCheckpoint.write();
                Checkpoint checkpoint = Checkpoint.open(random.folder())) {
            model = new Transformer(checkpoint, backend);
        }
        batch = new Batch(List.of(
                new Random(1).ints(ForwardBenchmark.TOKENS, 0, RandomCheckpoint.VOCABULARY).toArray()));
        tape = model.forward(batch, Optional.empty(), LayerHook.NONE);
    }

    @TearDown
    public void close() {
        tape.close();
        model.close();
        backend.close();
    }

    @Benchmark
    public float[] forward() {
        try (Tape kept = model.forward(batch, Optional.empty(), LayerHook.NONE)) {
            return loss(model.logits(kept, LAST));
        }
    }

    /** The backward pass alone, from the tape of {@link #open}. */
    @Benchmark
    public float[] backward() {
        Tensor logits = model.logits(tape, LAST);
        float[] loss = loss(logits);
        model.backward(tape, LAST, logits, GradientHook.NONE);
        return loss;
    }

    private float[] loss(Tensor logits) {
        return backend.gradients().crossEntropy(logits, new int[] {1}, new float[] {1});
    }
}
