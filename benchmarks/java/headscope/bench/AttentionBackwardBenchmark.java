package headscope.bench;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;
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

/** Attention of one layer: forward, backward, and backward with the saliency of every head. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 8, time = 1)
@Fork(1)
public class AttentionBackwardBenchmark {
    private static final int HEADS = AttentionStatisticsBenchmark.HEADS;
    private static final int HEAD_DIM = AttentionStatisticsBenchmark.HEAD_DIM;

    @Param({"128", "512", "1024", "2048", "4096"})
    int tokens;

    private final Backend backend = new CpuBackend(AttentionStatisticsBenchmark.THREADS);
    private final AttentionSpec spec = AttentionSpec.plain(HEADS, HEADS, HEAD_DIM, true);
    private Tensor q;
    private Tensor k;
    private Tensor v;
    private Tensor gradient;
    private Tensor out;
    private Tensor logSumExp;
    private Tensor qGradient;
    private Tensor kGradient;
    private Tensor vGradient;
    private AttentionSaliency saliency;

    @Setup
    public void open() {
        Gaussian random = new Gaussian();
        int width = HEADS * HEAD_DIM;
        q = random.tensor(backend, tokens, width);
        k = random.tensor(backend, tokens, width);
        v = random.tensor(backend, tokens, width);
        gradient = random.tensor(backend, tokens, width);
        out = backend.allocate(DType.F32, tokens, width);
        logSumExp = backend.allocate(DType.F32, HEADS, tokens);
        qGradient = backend.allocate(DType.F32, tokens, width);
        kGradient = backend.allocate(DType.F32, tokens, width);
        vGradient = backend.allocate(DType.F32, tokens, width);
        saliency = new AttentionSaliency(backend, HEADS, tokens, AttentionSaliency.Request.vectors(tokens));
        forward();
    }

    @TearDown
    public void close() {
        for (Tensor tensor : new Tensor[] {
            q, k, v, gradient, out, logSumExp, qGradient, kGradient, vGradient
        }) {
            tensor.buffer().close();
        }
        saliency.close();
        backend.close();
    }

    @Benchmark
    public Tensor forward() {
        backend.attention(out, logSumExp, q, k, v, Packing.of(q.intSize(0), k.intSize(0)), spec);
        return out;
    }

    @Benchmark
    public Tensor backward() {
        return gradients(Optional.empty());
    }

    @Benchmark
    public Tensor backwardWithSaliency() {
        return gradients(Optional.of(saliency));
    }

    private Tensor gradients(Optional<AttentionSaliency> observed) {
        backend.gradients().attention(
                qGradient, kGradient, vGradient, gradient, out, logSumExp, q, k, v,
                Packing.of(q.intSize(0), k.intSize(0)), spec, List.of(observed));
        return qGradient;
    }
}
