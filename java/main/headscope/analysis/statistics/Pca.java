package headscope.analysis.statistics;

import java.util.Optional;
import java.util.Random;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.CommonOps_MT_DDRM;
import org.ejml.dense.row.RandomMatrices_DDRM;

/**
 * Principal components of a training set, centred and not scaled.
 *
 * @param mean one per feature
 * @param axes the directions of largest variance, as columns [features, components]; empty if all components are
 *             kept: they would only rotate the samples, to which a regression with an L2 penalty is invariant
 */
record Pca(double[] mean, Optional<DMatrixRMaj> axes) {
    /** Maximum number of features for exact components: an eigenvalue problem of about a second. */
    static final int EXACT_FEATURES = 1024;

    /** Oversampling and power iterations of randomised PCA (Halko et al. 2011). */
    private static final int EXTRA = 32;

    private static final int PASSES = 4;

    /**
     * @param training   [samples][features]
     * @param components maximum number of components; those without variance are excluded
     * @param seed       for randomised components
     */
    static Pca fit(float[][] training, int components, long seed) {
        double[] mean = Samples.mean(training);
        if (components >= Math.min(training.length, mean.length)) {
            return new Pca(mean, Optional.empty());
        }
        DMatrixRMaj centred = Samples.minus(mean, training);
        DMatrixRMaj axes = mean.length <= EXACT_FEATURES
                ? GramSpectrum.ofProducts(centred, components).vectors()
                : sketch(centred, components, seed);
        return new Pca(mean, Optional.of(axes));
    }

    /**
     * The leading axes by randomised PCA, which multiplies the samples with some more random directions than
     * components. The two large products run on all cores; each row is computed by one thread, so the sums do not
     * depend on the number of threads.
     */
    static DMatrixRMaj sketch(DMatrixRMaj centred, int components, long seed) {
        int directions = Math.min(components + EXTRA, Math.min(centred.numRows, centred.numCols));
        DMatrixRMaj axes = new DMatrixRMaj(centred.numCols, directions);
        RandomMatrices_DDRM.fillGaussian(axes, 0, 1, new Random(seed));
        for (int pass = 0; pass < PASSES; pass++) {
            DMatrixRMaj range = orthonormal(CommonOps_MT_DDRM.mult(centred, axes, null));
            axes = orthonormal(CommonOps_MT_DDRM.multTransA(centred, range, null));
        }
        DMatrixRMaj projected = CommonOps_MT_DDRM.mult(centred, axes, null);
        DMatrixRMaj rotation = GramSpectrum.ofProducts(projected, components).vectors();
        return CommonOps_DDRM.mult(axes, rotation, null);
    }

    /** Coordinates of samples on the components, [samples, components]. */
    DMatrixRMaj scores(float[][] samples) {
        DMatrixRMaj centred = Samples.minus(mean, samples);
        return axes.map(directions -> CommonOps_DDRM.mult(centred, directions, null)).orElse(centred);
    }

    private static DMatrixRMaj orthonormal(DMatrixRMaj columns) {
        DMatrixRMaj rotation = GramSpectrum.ofProducts(columns, columns.numCols).vectorsTimesPower(-0.5);
        return CommonOps_DDRM.mult(columns, rotation, null);
    }
}
