package headscope.bench;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.Tensor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Attention statistics of one layer from q and k: fused, and with T x T maps in memory. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 8, time = 1)
@Fork(1)
public class AttentionStatisticsBenchmark {
    static final int HEADS = 12;
    static final int HEAD_DIM = 64;
    static final int THREADS = 2;

    /** Multiplications and additions of q k' below the diagonal. */
    static double operations(int tokens) {
        return 2.0 * tokens * tokens * HEAD_DIM * HEADS / 2;
    }

    /** q and k of one layer [tokens, heads * headDim]. */
    @State(Scope.Benchmark)
    public static class Layer {
        @Param({"512", "1024", "2048", "4096"})
        int tokens;

        final Backend inputs = new CpuBackend(1);
        final AttentionSpec spec = AttentionSpec.plain(HEADS, HEADS, HEAD_DIM, true);
        Tensor q;
        Tensor k;

        /** @throws IllegalStateException if the two implementations differ */
        @Setup
        public void open() {
            Gaussian random = new Gaussian();
            q = random.tensor(inputs, tokens, HEADS * HEAD_DIM);
            k = random.tensor(inputs, tokens, HEADS * HEAD_DIM);
            try (Backend backend = new CpuBackend(THREADS);
                    AttentionStatistics fused = new AttentionStatistics(backend, HEADS, tokens);
                    MaterialisedAttention maps = new MaterialisedAttention(backend, spec, tokens)) {
                backend.attentionStatistics(q, k, Packing.of(q.intSize(0), k.intSize(0)), spec, fused);
                maps.observe(q, k);
                maps.requireSame(fused);
            }
        }

        @TearDown
        public void close() {
            q.buffer().close();
            k.buffer().close();
            inputs.close();
        }
    }

    /** Opened again for every iteration, so that {@link PeakMemory} includes all memory that a call needs. */
    @State(Scope.Benchmark)
    public static class Fused {
        private Backend backend;
        private AttentionStatistics statistics;

        @Setup(Level.Iteration)
        public void open(Layer layer) {
            backend = new CpuBackend(THREADS);
            statistics = new AttentionStatistics(backend, HEADS, layer.tokens);
        }

        @TearDown(Level.Iteration)
        public void close() {
            statistics.close();
            backend.close();
        }
    }

    /** Opened again for every iteration, like {@link Fused}. */
    @State(Scope.Benchmark)
    public static class Materialised {
        private Backend backend;
        private MaterialisedAttention attention;

        @Setup(Level.Iteration)
        public void open(Layer layer) {
            backend = new CpuBackend(THREADS);
            attention = new MaterialisedAttention(backend, layer.spec, layer.tokens);
        }

        @TearDown(Level.Iteration)
        public void close() {
            attention.close();
            backend.close();
        }
    }

    @Benchmark
    public AttentionStatistics fused(Layer layer, Fused fused) {
        fused.statistics.clear();
        fused.backend.attentionStatistics(layer.q, layer.k,
                Packing.of(layer.q.intSize(0), layer.k.intSize(0)), layer.spec, fused.statistics);
        return fused.statistics;
    }

    @Benchmark
    public MaterialisedAttention materialised(Layer layer, Materialised materialised) {
        materialised.attention.observe(layer.q, layer.k);
        return materialised.attention;
    }
}
