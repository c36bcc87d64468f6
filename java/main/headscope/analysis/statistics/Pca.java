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
 * @param mean of each feature
 * @param axes the directions of the largest variances, as columns: [features, components]; none where every
 *             component is kept, which is only a turn, and a regression that penalises length notices no turn
 */
record Pca(double[] mean, Optional<DMatrixRMaj> axes) {
    /** Up to this many features the components are exact: an eigenvalue problem of a second. */
    static final int EXACT_FEATURES = 1024;

    /** Sketched: directions beyond those asked for, and passes over the data (Halko et al. 2011). */
    private static final int EXTRA = 32;

    private static final int PASSES = 4;

    /**
     * @param training   [samples][features]
     * @param components how many at most; those without variance are left out
     * @param seed       used where the components are sketched
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
     * The leading axes, from products of the samples with somewhat more random directions than asked for. The
     * two long products run on all cores; each row is one thread's, so the sums do not depend on how many
     * there are.
     */
    static DMatrixRMaj sketch(DMatrixRMaj centred, int components, long seed) {
        int directions = Math.min(components + EXTRA, Math.min(centred.numRows, centred.numCols));
        DMatrixRMaj axes = new DMatrixRMaj(centred.numCols, directions);
        RandomMatrices_DDRM.fillGaussian(axes, 0, 1, new Random(seed));
        for (int pass = 0; pass < PASSES; pass++) {
            DMatrixRMaj seen = orthonormal(CommonOps_MT_DDRM.mult(centred, axes, null));
            axes = orthonormal(CommonOps_MT_DDRM.multTransA(centred, seen, null));
        }
        DMatrixRMaj inside = CommonOps_MT_DDRM.mult(centred, axes, null);
        DMatrixRMaj turn = GramSpectrum.ofProducts(inside, components).vectors();
        return CommonOps_DDRM.mult(axes, turn, null);
    }

    /** Where samples lie on the components: [samples, components]. */
    DMatrixRMaj scores(float[][] samples) {
        DMatrixRMaj centred = Samples.minus(mean, samples);
        return axes.map(turn -> CommonOps_DDRM.mult(centred, turn, null)).orElse(centred);
    }

    private static DMatrixRMaj orthonormal(DMatrixRMaj columns) {
        DMatrixRMaj turn = GramSpectrum.ofProducts(columns, columns.numCols).vectorsTimesPower(-0.5);
        return CommonOps_DDRM.mult(columns, turn, null);
    }
}
