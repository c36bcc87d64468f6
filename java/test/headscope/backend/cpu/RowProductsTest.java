package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A row of a product is right, and has the same bits with any number of workers, and where OpenBLAS has kernels for small
 * matrices, in any batch.
 */
class RowProductsTest {
    private static final int ROWS = 90;
    private static final int[] COUNTS = {1, 2, 3, 4, 5, 7, 8, 12, 13, 16, 17, 31, 45, 64, 65, 90};

    @ParameterizedTest
    @CsvSource({
        "192, 192", "768, 192", "192, 768", "217, 192", "192, 217", "576, 192", "1, 64", "3, 40", "7, 16", "33, 33",
        "16, 31", "64, 1024", "66, 1025", "20, 3072", "1100, 900", "2050, 600"
    })
    void rowsHaveTheSameBits(int n, int k) {
        try (Arena arena = Arena.ofShared()) {
            Random random = new Random(n * 10_000L + k);
            MemorySegment a = normal(arena, random, ROWS * k);
            MemorySegment b = normal(arena, random, n * k);
            MemorySegment bias = normal(arena, random, n);
            Matrix columns = new Matrix(b, 0, k).transpose();
            compare(n, k, a, columns, Optional.empty());
            compare(n, k, a, columns, Optional.of(bias));
            compare(n, k, a, new Matrix(b, 0, n), Optional.empty());
        }
    }

    private static MemorySegment normal(Arena arena, Random random, int count) {
        MemorySegment values = arena.allocate((long) count * Float.BYTES, 64);
        for (int i = 0; i < count; i++) {
            values.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        return values;
    }

    private static void compare(int n, int k, MemorySegment a, Matrix b, Optional<MemorySegment> bias) {
        float[] all = product(1, 0, ROWS, n, k, a, b, bias);
        for (int row = 0; row < ROWS; row += 13) {
            for (int column = 0; column < n; column += 7) {
                double sum = bias.isPresent() ? bias.get().getAtIndex(JAVA_FLOAT, column) : 0;
                double magnitude = 0;
                Matrix weight = b.fromColumn(column);
                for (int i = 0; i < k; i++) {
                    double term = (double) a.getAtIndex(JAVA_FLOAT, (long) row * k + i)
                            * weight.memory().getAtIndex(JAVA_FLOAT, weight.fromRow(i).offset());
                    sum += term;
                    magnitude += Math.abs(term);
                }
                assertEquals(sum, all[row * n + column], (k + 2) * 0x1p-24 * (magnitude + Math.abs(sum)));
            }
        }
        for (int workers : new int[] {1, 2, 3}) {
            assertArrayEquals(all, product(workers, 0, ROWS, n, k, a, b, bias), workers + " workers");
            for (int count : OpenBlas.HAS_SMALL_KERNELS ? COUNTS : new int[0]) {
                int first = Math.min(count % 11, ROWS - count);
                assertArrayEquals(Arrays.copyOfRange(all, first * n, (first + count) * n),
                        product(workers, first, count, n, k, a, b, bias),
                        "%d rows from row %d on with %d workers".formatted(count, first, workers));
            }
        }
    }

    private static float[] product(
            int threads, int first, int rows, int n, int k, MemorySegment a, Matrix b, Optional<MemorySegment> bias) {
        try (Arena arena = Arena.ofShared();
                Workers workers = new Workers(threads)) {
            MemorySegment c = arena.allocate((long) rows * n * Float.BYTES, 64).fill((byte) -1);
            new RowProducts(workers)
                    .multiply(rows, n, k, new Matrix(a, (long) first * k, k), b, bias, new Matrix(c, 0, n));
            return c.toArray(JAVA_FLOAT);
        }
    }
}
