package headscope.analysis.statistics;

import java.util.Optional;
import org.ejml.data.DMatrixRMaj;

/**
 * The Cholesky factor L of a symmetric positive matrix, A = L L', block column by block column: nearly all operations are
 * {@link Products}. EJML's takes three times as long below 1000 columns.
 *
 * @param factor lower triangle; what is above it has no meaning
 */
record Cholesky(DMatrixRMaj factor) {
    /** Columns of a block. */
    static final int BLOCK = 32;

    /**
     * @param matrix of which the lower triangle is read; overwritten
     * @return empty if the matrix is not positive within rounding
     */
    static Optional<Cholesky> of(DMatrixRMaj matrix) {
        int size = matrix.numCols;
        double[] a = matrix.data;
        for (int from = 0; from < size; from += BLOCK) {
            int end = Math.min(size, from + BLOCK);
            for (int row = from; row < size; row++) {
                if (!eliminate(a, size, row, from, end)) {
                    return Optional.empty();
                }
            }
            if (end < size) {
                subtractProducts(a, size, from, end);
            }
        }
        return Optional.of(new Cholesky(matrix));
    }

    /** Computes the columns of a block in one row, from the rows above; false if a diagonal is not positive. */
    private static boolean eliminate(double[] a, int size, int row, int from, int end) {
        for (int column = from; column < end && column <= row; column++) {
            double rest = a[row * size + column];
            for (int k = from; k < column; k++) {
                rest -= a[row * size + k] * a[column * size + k];
            }
            if (column < row) {
                a[row * size + column] = rest / a[column * size + column];
            } else if (rest <= 0) {
                return false;
            } else {
                a[row * size + column] = Math.sqrt(rest);
            }
        }
        return true;
    }

    /** Subtracts the products of the block's rows below it from the lower triangle of the rest. */
    private static void subtractProducts(double[] a, int size, int from, int end) {
        DMatrixRMaj below = new DMatrixRMaj(end - from, size - end); // transposed
        for (int row = end; row < size; row++) {
            for (int k = from; k < end; k++) {
                below.data[(k - from) * (size - end) + row - end] = a[row * size + k];
            }
        }
        DMatrixRMaj products = Products.gram(below);
        for (int row = end; row < size; row++) {
            for (int column = end; column <= row; column++) {
                a[row * size + column] -= products.data[(row - end) * (size - end) + column - end];
            }
        }
    }

    /** The solution x of A x = b. */
    double[] solve(double[] b) {
        int size = factor.numCols;
        double[] l = factor.data;
        double[] x = b.clone();
        for (int row = 0; row < size; row++) {
            for (int k = 0; k < row; k++) {
                x[row] -= l[row * size + k] * x[k];
            }
            x[row] /= l[row * size + row];
        }
        for (int row = size - 1; row >= 0; row--) {
            x[row] /= l[row * size + row];
            for (int k = 0; k < row; k++) {
                x[k] -= l[row * size + k] * x[row];
            }
        }
        return x;
    }
}
