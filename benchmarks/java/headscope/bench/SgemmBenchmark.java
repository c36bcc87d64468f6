package headscope.bench;

import headscope.backend.Backend;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
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

/** Peak rate of sgemm through the CPU backend, to which other rates are compared. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 8, time = 1)
@Fork(1)
public class SgemmBenchmark {
    @Param("4096")
    int size;

    private final Backend backend = new CpuBackend(AttentionStatisticsBenchmark.THREADS);
    private Tensor x;
    private Tensor weight;
    private Tensor product;

    static double operations(int size) {
        return 2.0 * size * size * size;
    }

    @Setup
    public void open() {
        Gaussian random = new Gaussian();
        x = random.tensor(backend, size, size);
        weight = random.tensor(backend, size, size);
        product = backend.allocate(DType.F32, size, size);
    }

    @TearDown
    public void close() {
        x.buffer().close();
        weight.buffer().close();
        product.buffer().close();
        backend.close();
    }

    @Benchmark
    public Tensor square() {
        backend.linear(product, x, weight, Optional.empty());
        return product;
    }
}
