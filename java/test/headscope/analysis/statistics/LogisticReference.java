package headscope.analysis.statistics;

import java.util.Arrays;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;

/** The objective of {@link LogisticRegression}, minimised by undamped Newton steps. */
final class LogisticReference {
    private LogisticReference() {}

    /** Weights, then the intercept. */
    static double[] fit(double[][] samples, boolean[] labels) {
        int features = samples[0].length;
        int positives = 0;
        for (boolean label : labels) {
            positives += label ? 1 : 0;
        }
        double[] solution = new double[features + 1];
        for (int step = 0; step < 60; step++) {
            double[] gradient = new double[features + 1];
            double[][] hessian = new double[features + 1][features + 1];
            for (int i = 0; i < features; i++) {
                gradient[i] = solution[i];
                hessian[i][i] = 1;
            }
            for (int s = 0; s < samples.length; s++) {
                double[] x = Arrays.copyOf(samples[s], features + 1);
                x[features] = 1;
                double z = 0;
                for (int i = 0; i <= features; i++) {
                    z += solution[i] * x[i];
                }
                double cost = samples.length / (2.0 * (labels[s] ? positives : samples.length - positives));
                double probability = 1 / (1 + Math.exp(-z));
                for (int i = 0; i <= features; i++) {
                    gradient[i] += cost * (probability - (labels[s] ? 1 : 0)) * x[i];
                    double curvature = cost * probability * (1 - probability) * x[i];
                    for (int j = 0; j <= features; j++) {
                        hessian[i][j] += curvature * x[j];
                    }
                }
            }
            DMatrixRMaj move = new DMatrixRMaj(features + 1, 1);
            CommonOps_DDRM.solve(new DMatrixRMaj(hessian), DMatrixRMaj.wrap(features + 1, 1, gradient), move);
            for (int i = 0; i <= features; i++) {
                solution[i] -= move.get(i);
            }
        }
        return solution;
    }

    static double logOdds(double[] solution, double[] sample) {
        double z = solution[sample.length];
        for (int i = 0; i < sample.length; i++) {
            z += solution[i] * sample[i];
        }
        return z;
    }
}
