package headscope.bench;

import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.Packing;
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

/** Eigenvalues of the symmetrised Laplacian of every head of a layer, by LAPACK in fp64. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SpectrumBenchmark {
    static final int HEADS = 12;
    private static final int HEAD_DIM = 64;

    @Param({"64", "128", "512"})
    int tokens;

    private final Backend backend = new CpuBackend(AttentionStatisticsBenchmark.THREADS);
    private final AttentionSpec spec = AttentionSpec.plain(HEADS, HEADS, HEAD_DIM, true);
    private Tensor q;
    private Tensor k;

    @Setup
    public void open() {
        Gaussian random = new Gaussian();
        q = random.tensor(backend, tokens, HEADS * HEAD_DIM);
        k = random.tensor(backend, tokens, HEADS * HEAD_DIM);
    }

    @TearDown
    public void close() {
        q.buffer().close();
        k.buffer().close();
        backend.close();
    }

    @Benchmark
    public double[][] symmetric() {
        return backend.symmetricSpectrum(q, k, Packing.of(q.intSize(0), k.intSize(0)), spec).getFirst();
    }
}
