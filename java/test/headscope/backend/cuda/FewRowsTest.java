package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.backend.Backend;
import headscope.backend.Precision;
import headscope.backend.TensorScope;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which kernel multiplies few rows with 16-bit weights, and that it is given the right arguments. */
class FewRowsTest {
    /** @param kernels of a product with a bias, in order */
    @ParameterizedTest
    @CsvSource({
        "BF16, true, 1, 1024, 40, linear_few_rows_90a_bf16",
        "F16, true, 64, 1032, 40, linear_few_rows_90a_f16",
        "BF16, true, 2, 1024, 4096, linear_few_rows_90a_bf16",
        "BF16, true, 2, 1024, 4097, linear_bf16 add_row_f32",
        "BF16, true, 1, 1016, 40, linear_bf16 add_row_f32",
        "BF16, true, 1, 1028, 40, linear_bf16 add_row_f32",
        "BF16, true, 65, 1024, 40, linear_bf16 add_row_f32",
        "BF16, false, 1, 1024, 40, linear_bf16 add_row_f32",
        "F32, true, 1, 1024, 40, linear_f32 add_row_f32",
    })
    void kernelsOfAProduct(Precision precision, boolean hopper, int rows, int in, int out, String kernels) {
        try (Backend backend = new CudaBackend(new EmulatedDevice(Long.MAX_VALUE, hopper), precision);
                TensorScope tensors = new TensorScope(backend)) {
            float[] x = integers(rows * in, 3);
            float[] weight = integers(out * in, 5);
            float[] bias = integers(out, 7);
            Tensor operand = tensors.operand(tensors.tensor(x, rows, in));
            Tensor weights = tensors.operand(tensors.tensor(weight, out, in));
            Tensor sum = tensors.tensor(integers(rows * out, 2), rows, out);
            Optional<Tensor> row = Optional.of(tensors.tensor(bias, out));
            Set<String> launched = backend.time(() -> backend.linearAdd(sum, operand, weights, row, sum)).keySet();
            assertEquals(List.of(kernels.split(" ")), List.copyOf(launched));
            assertArrayEquals(expected(integers(rows * out, 2), x, weight, bias, in), backend.download(sum));
        }
    }

    /** Integers from -factor to factor, so that all sums are exact. */
    private static float[] integers(int count, int factor) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (i * 31 + i / 7) % (2 * factor + 1) - factor;
        }
        return values;
    }

    private static float[] expected(float[] sum, float[] x, float[] weight, float[] bias, int in) {
        for (int i = 0; i < sum.length; i++) {
            int row = i / bias.length;
            int column = i % bias.length;
            float added = bias[column];
            for (int term = 0; term < in; term++) {
                added += x[row * in + term] * weight[column * in + term];
            }
            sum[i] += added;
        }
        return sum;
    }
}
