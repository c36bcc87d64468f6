package headscope.timing;

import headscope.backend.Backend;
import headscope.backend.TensorScope;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Optional;

/** Peak rates that a device reaches: of a square matrix product in the operands' type, and of a copy. */
public record Ceilings(double teraflops, double gigabytesPerSecond) {
    private static final int GPU_SIDE = 8192;
    private static final int CPU_SIDE = 1024;
    private static final long COPIED_FLOATS = 64L << 20;

    static Ceilings of(Backend backend, Stopwatch stopwatch) {
        int side = backend.isGpu() ? GPU_SIDE : CPU_SIDE;
        try (TensorScope tensors = new TensorScope(backend)) {
            // Random operands: a GPU multiplies zeros at a higher clock, and pages that nobody wrote slow down a CPU.
            Tensor x = RandomTensors.normal(tensors, DType.F32, 1, side, side);
            Tensor weight = RandomTensors.normal(tensors, backend.operands(), 2, side, side);
            Tensor product = tensors.allocate(DType.F32, side, side);
            Tensor from = RandomTensors.normal(tensors, DType.F32, 3, COPIED_FLOATS);
            Tensor to = tensors.allocate(DType.F32, COPIED_FLOATS);
            double operations = 2.0 * side * side * side;
            double multiplied = total(stopwatch, Work.of(
                    "product", () -> backend.linear(product, x, weight, Optional.empty())));
            double copied = total(stopwatch, Work.of("copy", () -> backend.convert(to, from)));
            return new Ceilings(operations / multiplied / 1e12, 2.0 * COPIED_FLOATS * Float.BYTES / copied / 1e9);
        }
    }

    private static double total(Stopwatch stopwatch, Work work) {
        return stopwatch.time("ceiling", 0, work).stream().mapToDouble(Measurement::median).sum();
    }
}
