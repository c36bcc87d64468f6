package headscope.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Seed;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Operations with 16-bit weights give the same bits as fp32 with rounded inputs: products of 16-bit values are exact in
 * fp32, and sums are computed in fp32 in the same order.
 */
class HalfPrecisionTest {
    @ParameterizedTest
    @CsvSource({"BF16, 1, 1, 1", "F16, 1, 1, 1", "BF16, 5, 33, 65", "F16, 5, 33, 65", "BF16, 65, 64, 17",
        "F16, 65, 64, 17"})
    void equalsFp32WithRoundedInputs(DType type, int rows, int in, int out) {
        try (Backend backend = Devices.emulated(type);
                TensorScope on = new TensorScope(backend)) {
            Random random = Seed.random(type, rows, in, out);
            Tensor x = on.tensor(Inputs.NORMAL.values(random, rows, in), rows, in);
            Tensor gradient = on.tensor(Inputs.NORMAL.values(random, rows, out), rows, out);
            Tensor weight = on.tensor(Inputs.NORMAL.values(random, out, in), out, in);
            Tensor bias = on.tensor(Inputs.NORMAL.values(random, 1, out), out);
            Tensor half = on.allocate(type, out, in);
            backend.convert(half, weight);
            Tensor roundedX = rounded(on, type, x);
            Tensor roundedGradient = rounded(on, type, gradient);
            Tensor roundedWeight = rounded(on, type, weight);
            Tensor expected = on.unwritten(rows, out);
            Tensor actual = on.unwritten(rows, out);
            backend.linear(expected, roundedX, roundedWeight, Optional.of(bias));
            backend.linear(actual, x, half, Optional.of(bias));
            assertArrayEquals(on.backend.download(expected), on.backend.download(actual), Seed.reproduce());

            Tensor expectedGradient = on.unwritten(rows, in);
            Tensor actualGradient = on.unwritten(rows, in);
            backend.gradients().linear(expectedGradient, roundedGradient, roundedWeight);
            backend.gradients().linear(actualGradient, gradient, half);
            assertArrayEquals(on.backend.download(expectedGradient), on.backend.download(actualGradient), Seed.reproduce());

            int[] ids = {out - 1, 0, out / 2};
            Tensor expectedRows = on.unwritten(3, in);
            Tensor actualRows = on.unwritten(3, in);
            backend.embed(expectedRows, roundedWeight, ids);
            backend.embed(actualRows, half, ids);
            assertArrayEquals(on.backend.download(expectedRows), on.backend.download(actualRows));
        }
    }

    /** A result in 16 bits is that in fp32, rounded. */
    @ParameterizedTest
    @CsvSource({"BF16, 1, 1", "F16, 1, 1", "BF16, 5, 33", "F16, 5, 300"})
    void resultsAreRoundedOnce(DType type, int rows, int width) {
        try (Backend backend = Devices.emulated(type);
                TensorScope on = new TensorScope(backend)) {
            Random random = Seed.random(type, rows, width);
            Tensor x = on.tensor(Inputs.NORMAL.values(random, rows, width), rows, width);
            Tensor y = on.tensor(Inputs.NORMAL.values(random, rows, 2 * width), rows, 2 * width);
            Tensor weight = on.tensor(Inputs.NORMAL.values(random, 1, width), width);
            Tensor bias = on.tensor(Inputs.NORMAL.values(random, 1, width), width);
            for (Consumer<Tensor> operation : List.<Consumer<Tensor>>of(
                    to -> backend.layerNorm(to, x, weight, bias, 1e-5f), to -> backend.rmsNorm(to, x, weight, 1e-6f),
                    to -> backend.activate(to, x, Activation.GELU_TANH), to -> backend.gate(to, y, Activation.SILU))) {
                Tensor wide = on.unwritten(rows, width);
                Tensor narrow = on.allocate(type, rows, width);
                operation.accept(wide);
                operation.accept(narrow);
                Tensor widened = on.unwritten(rows, width);
                backend.convert(widened, narrow);
                assertArrayEquals(on.backend.download(rounded(on, type, wide)), on.backend.download(widened), Seed.reproduce());
            }
        }
    }

    private static Tensor rounded(TensorScope on, DType type, Tensor x) {
        return on.tensor(ReferenceConversion.rounded(type, on.backend.download(x)), x.shape());
    }

    /** Temporary device memory is freed. */
    @ParameterizedTest
    @CsvSource({"F32", "BF16", "F16"})
    void freesTemporaryMemory(DType type) {
        try (Backend backend = Devices.emulated(type)) {
            try (TensorScope on = new TensorScope(backend)) {
                Tensor x = on.tensor(new float[] {1, 2}, 1, 2);
                Tensor weight = backend.allocate(type, 1, 2);
                backend.linear(on.unwritten(1, 1), x, weight, Optional.empty());
                weight.buffer().close();
            }
            assertEquals(0, backend.liveBytes());
        }
    }
}
