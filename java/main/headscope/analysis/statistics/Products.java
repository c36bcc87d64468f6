package headscope.analysis.statistics;

import java.util.stream.IntStream;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.VectorSpecies;
import org.ejml.data.DMatrixRMaj;

/**
 * Matrix products in fp64 on all cores. Every element is a sum over blocks of DEPTH terms, each added by fused
 * multiply-add in ascending order, whatever the number of cores and the width of vectors: equal bits everywhere.
 */
final class Products {
    private static final VectorSpecies<Double> SPECIES = DoubleVector.SPECIES_PREFERRED;
    private static final int LANES = SPECIES.length();

    /** Columns of a tile: two vectors. */
    private static final int WIDTH = 2 * LANES;

    /** Rows of a tile; with its columns 12 accumulators, which fit into registers. */
    private static final int HEIGHT = 6;

    /** Terms per block: DEPTH rows of a tile's columns fit into the first-level cache. */
    private static final int DEPTH = 256;

    private Products() {}

    /** A B. */
    static DMatrixRMaj product(DMatrixRMaj a, DMatrixRMaj b) {
        return new Factors(a.data, a.numCols, 1, a.numRows, b, false).multiply();
    }

    /** A' B. */
    static DMatrixRMaj transposedProduct(DMatrixRMaj a, DMatrixRMaj b) {
        return new Factors(a.data, 1, a.numCols, a.numCols, b, false).multiply();
    }

    /** A' A; equal bits above and below the diagonal. */
    static DMatrixRMaj gram(DMatrixRMaj a) {
        DMatrixRMaj products = new Factors(a.data, 1, a.numCols, a.numCols, a, true).multiply();
        for (int row = 1; row < products.numRows; row++) {
            for (int column = 0; column < row; column++) {
                products.unsafe_set(row, column, products.unsafe_get(column, row));
            }
        }
        return products;
    }

    /**
     * The factors of a product.
     *
     * @param left      element (i, k) is at {@code i * rowStride + k * termStride}
     * @param rows      of the product
     * @param symmetric compute only tiles that reach the diagonal or lie above it
     */
    private record Factors(
            double[] left, int rowStride, int termStride, int rows, DMatrixRMaj right, boolean symmetric) {
        DMatrixRMaj multiply() {
            DMatrixRMaj product = new DMatrixRMaj(rows, right.numCols);
            IntStream.range(0, (right.numCols + WIDTH - 1) / WIDTH)
                    .parallel()
                    .forEach(panel -> columns(product, panel * WIDTH));
            return product;
        }

        /** Computes WIDTH columns of the product. */
        private void columns(DMatrixRMaj product, int column) {
            int width = Math.min(WIDTH, right.numCols - column);
            int end = symmetric ? Math.min(rows, column + width) : rows;
            double[] packed = new double[DEPTH * WIDTH];
            double[] tile = new double[HEIGHT * WIDTH];
            for (int term = 0; term < right.numRows; term += DEPTH) {
                int depth = Math.min(DEPTH, right.numRows - term);
                for (int k = 0; k < depth; k++) {
                    System.arraycopy(right.data, (term + k) * right.numCols + column, packed, k * WIDTH, width);
                }
                for (int row = 0; row < end; row += HEIGHT) {
                    int height = Math.min(HEIGHT, end - row);
                    int at = row * rowStride + term * termStride;
                    if (height == HEIGHT) {
                        tile(at, depth, packed, tile);
                    } else {
                        for (int i = 0; i < height; i++) {
                            row(at + i * rowStride, depth, packed, tile, i * WIDTH);
                        }
                    }
                    for (int i = 0; i < height; i++) {
                        for (int j = 0; j < width; j++) {
                            product.data[(row + i) * right.numCols + column + j] += tile[i * WIDTH + j];
                        }
                    }
                }
            }
        }

        /** HEIGHT rows of a block. */
        private void tile(int at, int depth, double[] packed, double[] tile) {
            DoubleVector a0 = DoubleVector.zero(SPECIES);
            DoubleVector a1 = a0;
            DoubleVector b0 = a0;
            DoubleVector b1 = a0;
            DoubleVector c0 = a0;
            DoubleVector c1 = a0;
            DoubleVector d0 = a0;
            DoubleVector d1 = a0;
            DoubleVector e0 = a0;
            DoubleVector e1 = a0;
            DoubleVector f0 = a0;
            DoubleVector f1 = a0;
            for (int k = 0; k < depth; k++) {
                DoubleVector x0 = DoubleVector.fromArray(SPECIES, packed, k * WIDTH);
                DoubleVector x1 = DoubleVector.fromArray(SPECIES, packed, k * WIDTH + LANES);
                int from = at + k * termStride;
                DoubleVector factor = DoubleVector.broadcast(SPECIES, left[from]);
                a0 = factor.fma(x0, a0);
                a1 = factor.fma(x1, a1);
                factor = DoubleVector.broadcast(SPECIES, left[from + rowStride]);
                b0 = factor.fma(x0, b0);
                b1 = factor.fma(x1, b1);
                factor = DoubleVector.broadcast(SPECIES, left[from + 2 * rowStride]);
                c0 = factor.fma(x0, c0);
                c1 = factor.fma(x1, c1);
                factor = DoubleVector.broadcast(SPECIES, left[from + 3 * rowStride]);
                d0 = factor.fma(x0, d0);
                d1 = factor.fma(x1, d1);
                factor = DoubleVector.broadcast(SPECIES, left[from + 4 * rowStride]);
                e0 = factor.fma(x0, e0);
                e1 = factor.fma(x1, e1);
                factor = DoubleVector.broadcast(SPECIES, left[from + 5 * rowStride]);
                f0 = factor.fma(x0, f0);
                f1 = factor.fma(x1, f1);
            }
            a0.intoArray(tile, 0);
            a1.intoArray(tile, LANES);
            b0.intoArray(tile, WIDTH);
            b1.intoArray(tile, WIDTH + LANES);
            c0.intoArray(tile, 2 * WIDTH);
            c1.intoArray(tile, 2 * WIDTH + LANES);
            d0.intoArray(tile, 3 * WIDTH);
            d1.intoArray(tile, 3 * WIDTH + LANES);
            e0.intoArray(tile, 4 * WIDTH);
            e1.intoArray(tile, 4 * WIDTH + LANES);
            f0.intoArray(tile, 5 * WIDTH);
            f1.intoArray(tile, 5 * WIDTH + LANES);
        }

        /** One row of a block. */
        private void row(int at, int depth, double[] packed, double[] tile, int to) {
            DoubleVector sum0 = DoubleVector.zero(SPECIES);
            DoubleVector sum1 = sum0;
            for (int k = 0; k < depth; k++) {
                DoubleVector factor = DoubleVector.broadcast(SPECIES, left[at + k * termStride]);
                sum0 = factor.fma(DoubleVector.fromArray(SPECIES, packed, k * WIDTH), sum0);
                sum1 = factor.fma(DoubleVector.fromArray(SPECIES, packed, k * WIDTH + LANES), sum1);
            }
            sum0.intoArray(tile, to);
            sum1.intoArray(tile, to + LANES);
        }
    }
}
