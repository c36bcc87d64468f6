package headscope.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Seed;
import headscope.backend.Backend;
import headscope.backend.TensorScope;
import headscope.tensor.Conversion;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights that are kept in 16 bits give the bits of the same weights in fp32. */
class KeptWeightsTest {
    /**
     * Products in tiles and whole, of one part of the weights and of several, with remainders; rows or columns are divided among
     * workers, or neither.
     */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1", "1, 33, 65", "1, 31, 300", "1, 2048, 1100", "1, 513, 4097", "1, 4000, 5000", "1, 5000, 1030", "2, 300, 700",
        "5, 768, 2305", "13, 288, 768", "13, 2048, 4100", "13, 2050, 1030", "45, 288, 288", "45, 3000, 5003", "45, 5003, 2049",
        "130, 700, 129", "600, 333, 517", "1030, 2049, 1029", "7, 48, 3000", "3, 8200, 1200", "13, 700, 9001", "600, 8200, 590",
        "1, 20, 70000", "3, 17, 200001", "70, 192, 31999", "2, 1500, 9000", "17, 2600, 6001", "1900, 2100, 1700"
    })
    void giveTheSameBits(int rows, int in, int out) {
        Random random = Seed.random("kept weights", rows, in, out);
        float[] values = values(random, out * in);
        for (DType type : List.of(DType.BF16, DType.F16)) {
            try (Backend backend = new CpuBackend(2, type); TensorScope on = new TensorScope(backend)) {
                Tensor weight = on.allocate(type, out, in);
                backend.convert(weight, on.tensor(values, out, in));
                products(backend, on, random, weight, rows);
            }
        }
    }

    private static float[] values(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }

    private static void products(Backend backend, TensorScope on, Random random, Tensor weight, int rows) {
        int out = weight.intSize(0);
        int in = weight.intSize(1);
        Tensor widened = on.unwritten(out, in);
        backend.convert(widened, weight);
        Tensor x = on.tensor(values(random, rows * in), rows, in);
        Tensor expected = on.unwritten(rows, out);
        Tensor actual = on.unwritten(rows, out);
        for (Optional<Tensor> bias : List.of(Optional.of(on.tensor(values(random, out), out)), Optional.<Tensor>empty())) {
            backend.linear(expected, x, widened, bias);
            backend.linear(actual, x, weight, bias);
            assertArrayEquals(backend.download(expected), backend.download(actual), "linear");
        }
        Tensor gradient = on.tensor(values(random, rows * out), rows, out);
        Tensor expectedGradient = on.unwritten(rows, in);
        Tensor actualGradient = on.unwritten(rows, in);
        backend.gradients().linear(expectedGradient, gradient, widened);
        backend.gradients().linear(actualGradient, gradient, weight);
        assertArrayEquals(backend.download(expectedGradient), backend.download(actualGradient), "linear's gradient");

        int[] ids = {out - 1, 0, out / 2};
        Tensor expectedRows = on.unwritten(3, in);
        Tensor actualRows = on.unwritten(3, in);
        backend.embed(expectedRows, widened, ids);
        backend.embed(actualRows, weight, ids);
        assertArrayEquals(backend.download(expectedRows), backend.download(actualRows), "embed");
    }

    /** Every finite value, subnormal ones included, at every place of a vector and behind the last whole one. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "F16"})
    void everyValueIsWidenedExactly(DType type) {
        int values = 1 << Short.SIZE;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment elements = arena.allocate(2L * values, 64);
            for (int i = 0; i < values; i++) {
                elements.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) i);
            }
            MemorySegment expected = arena.allocate(4L * values, 64);
            Conversion.copy(type, elements, DType.F32, expected);
            for (int first : new int[] {0, 1, 7}) {
                int count = values - first - 3;
                MemorySegment floats = arena.allocate(4L * (count + 1), 64);
                Widening.widen(type, elements, first, floats, 1, count);
                for (int i = 0; i < count; i++) {
                    if (Float.isFinite(expected.getAtIndex(ValueLayout.JAVA_FLOAT, first + i))) {
                        assertEquals(expected.getAtIndex(ValueLayout.JAVA_INT, first + i),
                                floats.getAtIndex(ValueLayout.JAVA_INT, i + 1));
                    }
                }
            }
        }
    }
}
