package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.RandomMatrices_DDRM;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ProductsTest {
    /** Below, at and above a tile's height, its width and a block's depth. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1", "6, 16, 256", "7, 300, 17", "13, 515, 33", "40, 3, 50", "5, 0, 3", "0, 4, 3"})
    void agreeWithPlainLoops(int rows, int terms, int columns) {
        DMatrixRMaj a = random(rows, terms);
        DMatrixRMaj b = random(terms, columns);
        DMatrixRMaj expected = plain(a, b);
        assertClose(expected, Products.product(a, b));
        assertClose(expected, Products.transposedProduct(CommonOps_DDRM.transpose(a, null), b));
        assertClose(plain(CommonOps_DDRM.transpose(b, null), b), Products.gram(b));
    }

    @Test
    void numberOfThreadsDoesNotChangeBits() throws Exception {
        DMatrixRMaj a = random(130, 700);
        DMatrixRMaj b = random(700, 90);
        double[] common = Products.product(a, b).data;
        for (int threads = 1; threads <= 3; threads += 2) {
            try (ForkJoinPool pool = new ForkJoinPool(threads)) {
                assertArrayEquals(common, pool.submit(() -> Products.product(a, b).data).get());
            }
        }
    }

    private static DMatrixRMaj random(int rows, int columns) {
        return RandomMatrices_DDRM.rectangle(rows, columns, -1, 1, new Random(rows * 31L + columns));
    }

    private static DMatrixRMaj plain(DMatrixRMaj a, DMatrixRMaj b) {
        DMatrixRMaj product = new DMatrixRMaj(a.numRows, b.numCols);
        for (int i = 0; i < a.numRows; i++) {
            for (int j = 0; j < b.numCols; j++) {
                double sum = 0;
                for (int k = 0; k < a.numCols; k++) {
                    sum += a.get(i, k) * b.get(k, j);
                }
                product.set(i, j, sum);
            }
        }
        return product;
    }

    private static void assertClose(DMatrixRMaj expected, DMatrixRMaj product) {
        assertEquals(expected.numRows, product.numRows);
        assertEquals(expected.numCols, product.numCols);
        assertArrayEquals(expected.data, product.data, 1e-12);
    }
}
