package headscope.analysis.statistics;

import headscope.analysis.statistics.ProbeResult.Reduction;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.RandomMatrices_DDRM;
import org.ejml.dense.row.decomposition.TriangularSolver_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.CholeskyDecomposition_F64;

/**
 * Principal components of a training set, centred and not scaled.
 *
 * @param mean one per feature
 * @param axes the directions of largest variance, as columns [features, components]; empty if all components are
 *             kept: they would only rotate the samples, to which a regression with an L2 penalty is invariant
 */
record Pca(double[] mean, Optional<DMatrixRMaj> axes) {
    /** Maximum number of features for exact components: an eigenvalue problem of one or two seconds. */
    static final int EXACT_FEATURES = 1024;

    /** Oversampling and power iterations of randomised PCA (Halko et al. 2011). */
    private static final int EXTRA = 32;

    private static final int POWER_ITERATIONS = 4;

    /** How {@link #fit} computes components. */
    static Reduction reduction(int samples, int features, int components) {
        if (components >= Math.min(samples, features)) {
            return Reduction.NONE;
        }
        return features <= EXACT_FEATURES ? Reduction.EXACT : Reduction.RANDOMISED;
    }

    /**
     * @param training   [samples][features]
     * @param components maximum number of components; those without variance are excluded
     * @param seed       for randomised components
     */
    static Pca fit(float[][] training, int components, long seed) {
        double[] mean = Samples.mean(training);
        return new Pca(mean, switch (reduction(training.length, mean.length, components)) {
            case NONE -> Optional.empty();
            case EXACT -> Optional.of(
                    GramSpectrum.ofProducts(Samples.minus(mean, training), components).vectors());
            case RANDOMISED -> Optional.of(sketch(Samples.minus(mean, training), components, seed));
        });
    }

    /**
     * The leading axes by randomised PCA: power iterations on more random directions than components, then the
     * eigenvectors of the covariance within the space that they span. The bits do not depend on the number of cores.
     *
     * @param centred [samples, features]
     */
    static DMatrixRMaj sketch(DMatrixRMaj centred, int components, long seed) {
        int directions = Math.min(components + EXTRA, Math.min(centred.numRows, centred.numCols));
        DMatrixRMaj axes = new DMatrixRMaj(centred.numCols, directions);
        RandomMatrices_DDRM.fillGaussian(axes, 0, 1, new Random(seed));
        UnaryOperator<DMatrixRMaj> covariance = covariance(centred);
        for (int i = 0; i < POWER_ITERATIONS; i++) {
            axes = orthogonalised(covariance.apply(axes));
        }
        axes = orthogonalised(axes); // once more, since one step is exact only within the condition of its input
        DMatrixRMaj within = Products.transposedProduct(axes, covariance.apply(axes));
        return Products.product(axes, GramSpectrum.of(within, centred.numRows, components).vectors());
    }

    /** Multiplies by the products of features; they are stored unless they take more memory than the samples. */
    private static UnaryOperator<DMatrixRMaj> covariance(DMatrixRMaj centred) {
        if (centred.numCols > centred.numRows) {
            return axes -> Products.transposedProduct(centred, Products.product(centred, axes));
        }
        DMatrixRMaj products = Products.gram(centred);
        return axes -> Products.product(products, axes);
    }

    /** Coordinates of samples on the components, [samples, components]. */
    DMatrixRMaj scores(float[][] samples) {
        DMatrixRMaj centred = Samples.minus(mean, samples);
        return axes.map(directions -> Products.product(centred, directions)).orElse(centred);
    }

    /**
     * Columns of about the same span, nearer to orthonormal: divided by the Cholesky factor of their products, whose
     * diagonal is raised by rounding so that dependent columns are allowed (Fukaya et al. 2020, shifted Cholesky QR).
     */
    private static DMatrixRMaj orthogonalised(DMatrixRMaj columns) {
        DMatrixRMaj products = Products.gram(columns);
        int size = products.numCols;
        double shift = Math.ulp(CommonOps_DDRM.trace(products)) * Math.max(columns.numRows, size);
        for (int i = 0; i < size; i++) {
            products.data[i * size + i] += Math.max(shift, Double.MIN_NORMAL);
        }
        CholeskyDecomposition_F64<DMatrixRMaj> cholesky = DecompositionFactory_DDRM.chol(size, true);
        if (!cholesky.decompose(products)) {
            throw new ArithmeticException("the products of %d columns are not positive".formatted(size));
        }
        DMatrixRMaj factor = cholesky.getT(null);
        TriangularSolver_DDRM.invertLower(factor.data, size);
        return Products.product(columns, CommonOps_DDRM.transpose(factor, null));
    }
}
