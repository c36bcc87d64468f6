package headscope.analysis.statistics;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;

/** Rows of features, [samples][features], as the steps of a probe need them. */
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

    /** [samples, features] */
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
     * The same points in fewer coordinates: n points span at most n - 1 directions, and turning and shifting
     * them all alike changes no distance between them. Centring, principal components and a regression that
     * penalises length see only distances, so nothing is fitted here and nothing of the test fold leaks.
     */
    static float[][] withoutSpareDirections(float[][] samples) {
        DMatrixRMaj transposed = CommonOps_DDRM.transpose(minus(mean(samples), samples), null);
        DMatrixRMaj points = GramSpectrum.ofProducts(transposed, samples.length).vectorsTimesPower(0.5);
        float[][] turned = new float[samples.length][points.numCols];
        for (int sample = 0; sample < turned.length; sample++) {
            for (int i = 0; i < points.numCols; i++) {
                turned[sample][i] = (float) points.unsafe_get(sample, i);
            }
        }
        return turned;
    }
}
