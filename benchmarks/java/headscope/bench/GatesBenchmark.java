package headscope.bench;

import headscope.backend.Backend;
import headscope.backend.cpu.CpuBackend;
import headscope.model.Batch;
import headscope.model.Checkpoint;
import headscope.model.GradientHook;
import headscope.model.HeadGates;
import headscope.model.LayerHook;
import headscope.model.Tape;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Optional;
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

/** The gradients of one update of gates on the demo checkpoint: a batch of short texts, for one mask or several. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 8, time = 2)
@Fork(2)
public class GatesBenchmark {
    static final int TEXTS = 64;
    private static final int TOKENS = 24;

    @Param({"1", "4"})
    int masks;

    private final Backend backend = new CpuBackend(AttentionStatisticsBenchmark.THREADS);
    private Transformer model;
    private Batch batch;
    private HeadGates gates;
    private int[] last;
    private int[] targets;
    private float[] factors;

    @Setup
    public void open() {
        try (Checkpoint checkpoint = Checkpoint.open(Path.of("models/demo"))) {
            model = new Transformer(checkpoint, backend);
        }
        Random random = new Random(1);
        int vocabulary = model.config().vocabulary().size();
        int texts = masks * TEXTS;
        batch = new Batch(IntStream.range(0, texts)
                .mapToObj(text -> random.ints(TOKENS, 0, vocabulary).toArray())
                .toList());
        float[] mask = new float[model.config().layers() * model.config().heads()];
        Arrays.fill(mask, 0.5f);
        gates = new HeadGates(model, Collections.nCopies(texts, new HeadGates.OfText(0, mask)));
        last = IntStream.range(0, texts).map(text -> batch.first(text) + TOKENS - 1).toArray();
        targets = random.ints(texts, 0, vocabulary).toArray();
        factors = new float[texts];
        Arrays.fill(factors, 1f / TEXTS);
    }

    @TearDown
    public void close() {
        gates.close();
        model.close();
        backend.close();
    }

    @Benchmark
    public float[] update() {
        try (Tape tape = model.forward(batch, Optional.of(gates), LayerHook.NONE)) {
            Tensor logits = model.logits(tape, last);
            float[] losses = backend.gradients().crossEntropy(logits, targets, factors);
            model.backward(tape, last, logits, GradientHook.NONE);
            return losses;
        }
    }
}
