package headscope.analysis.statistics;

import java.util.Comparator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * Eigenvalues of A'A in descending order and its eigenvectors; eigenvalues that are zero within rounding are excluded.
 *
 * @param values  positive
 * @param vectors columns: [columns of A, values]
 */
record GramSpectrum(double[] values, DMatrixRMaj vectors) {
    /** The largest eigenvalues of A'A, at most {@code limit}. */
    static GramSpectrum ofProducts(DMatrixRMaj a, int limit) {
        return of(Products.gram(a), a.numRows, limit);
    }

    /**
     * The largest eigenvalues of a matrix of products.
     *
     * @param products A'A; overwritten
     * @param rows     of A
     */
    static GramSpectrum of(DMatrixRMaj products, int rows, int limit) {
        int columns = products.numCols;
        EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(columns, true, true);
        if (!eigen.decompose(products)) {
            throw new ArithmeticException("the eigenvalues of a matrix of %d columns did not converge".formatted(columns));
        }
        double[] all = IntStream.range(0, columns).mapToDouble(i -> eigen.getEigenvalue(i).real).toArray();
        double largest = DoubleStream.of(all).max().orElse(0);
        double rounding = Math.ulp(largest) * Math.max(rows, columns);
        int[] kept = IntStream.range(0, all.length)
                .filter(i -> all[i] > rounding)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -all[i]))
                .limit(limit)
                .mapToInt(Integer::intValue)
                .toArray();
        DMatrixRMaj vectors = new DMatrixRMaj(columns, kept.length);
        for (int i = 0; i < kept.length; i++) {
            CommonOps_DDRM.insert(eigen.getEigenVector(kept[i]), vectors, 0, i);
        }
        return new GramSpectrum(IntStream.of(kept).mapToDouble(i -> all[i]).toArray(), vectors);
    }

    /** Each eigenvector multiplied by a power of its eigenvalue. */
    DMatrixRMaj vectorsTimesPower(double power) {
        DMatrixRMaj scaled = vectors.copy();
        CommonOps_DDRM.multCols(scaled, DoubleStream.of(values).map(v -> Math.pow(v, power)).toArray());
        return scaled;
    }
}
