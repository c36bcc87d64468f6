package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.RandomMatrices_DDRM;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CholeskyTest {
    /** Below, at and above one and several blocks. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, Cholesky.BLOCK - 1, Cholesky.BLOCK, Cholesky.BLOCK + 1, 3 * Cholesky.BLOCK, 131})
    void solvesWhatItFactored(int size) {
        DMatrixRMaj a = positive(size);
        double[] expected = RandomMatrices_DDRM.rectangle(size, 1, -1, 1, new Random(7)).data;
        DMatrixRMaj b = new DMatrixRMaj(size, 1);
        CommonOps_DDRM.mult(a, DMatrixRMaj.wrap(size, 1, expected), b);
        double[] x = Cholesky.of(a.copy()).orElseThrow().solve(b.data);
        for (int i = 0; i < size; i++) {
            assertEquals(expected[i], x[i], 1e-12 * size); // eigenvalues from 1: errors are not magnified
        }
    }

    /** 2 x 2 by hand: [[4, 2], [2, 5]] = [[2, 0], [1, 2]] [[2, 1], [0, 2]]. */
    @Test
    void factorsKnownMatrix() {
        double[] l = Cholesky.of(new DMatrixRMaj(new double[][] {{4, 2}, {2, 5}})).orElseThrow().factor().data;
        assertEquals(2, l[0]);
        assertEquals(1, l[2]);
        assertEquals(2, l[3]);
    }

    /** A negative diagonal in the first and in a later block, and a singular matrix. */
    @ParameterizedTest
    @ValueSource(ints = {0, Cholesky.BLOCK - 1, Cholesky.BLOCK, 100})
    void rejectsWhatIsNotPositive(int at) {
        DMatrixRMaj a = positive(110);
        a.set(at, at, -1);
        assertTrue(Cholesky.of(a).isEmpty());
        DMatrixRMaj zero = new DMatrixRMaj(110, 110);
        assertTrue(Cholesky.of(zero).isEmpty());
    }

    /** I + B' B. */
    private static DMatrixRMaj positive(int size) {
        DMatrixRMaj a = Products.gram(RandomMatrices_DDRM.rectangle(size + 3, size, -1, 1, new Random(size)));
        for (int i = 0; i < size; i++) {
            a.data[i * size + i] += 1;
        }
        return a;
    }
}
