package headscope.analysis.statistics;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;

/** Operations on samples of features, [samples][features]. */
final class Samples {
    private Samples() {}

    static double[] mean(float[][] samples) {
        double[] mean = new double[samples[0].length];
        for (float[] sample : samples) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += sample[i];
            }
        }
        for (int i = 0; i < mean.length; i++) {
            mean[i] /= samples.length;
        }
        return mean;
    }

    /** The centred samples, [samples, features]. */
    static DMatrixRMaj minus(double[] mean, float[][] samples) {
        DMatrixRMaj centred = new DMatrixRMaj(samples.length, mean.length);
        int at = 0;
        for (float[] sample : samples) {
            for (int i = 0; i < mean.length; i++) {
                centred.data[at++] = sample[i] - mean[i];
            }
        }
        return centred;
    }

    /**
     * The same points in fewer coordinates: n points span at most n - 1 dimensions, and a rotation and a shift
     * preserve all distances. Centring, principal components and a regression with an L2 penalty depend on
     * distances only, so nothing is fitted here and no information of the test fold leaks.
     */
    static float[][] inSpannedCoordinates(float[][] samples) {
        DMatrixRMaj transposed = CommonOps_DDRM.transpose(minus(mean(samples), samples), null);
        DMatrixRMaj points = GramSpectrum.ofProducts(transposed, samples.length).vectorsTimesPower(0.5);
        float[][] rotated = new float[samples.length][points.numCols];
        for (int sample = 0; sample < rotated.length; sample++) {
            for (int i = 0; i < points.numCols; i++) {
                rotated[sample][i] = (float) points.unsafe_get(sample, i);
            }
        }
        return rotated;
    }
}
