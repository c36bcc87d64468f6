package headscope.analysis.statistics;

import de.bwaldvogel.liblinear.Feature;
import de.bwaldvogel.liblinear.FeatureNode;
import de.bwaldvogel.liblinear.Linear;
import de.bwaldvogel.liblinear.Model;
import de.bwaldvogel.liblinear.Parameter;
import de.bwaldvogel.liblinear.Problem;
import de.bwaldvogel.liblinear.SolverType;
import java.util.Arrays;
import org.ejml.data.DMatrixRMaj;

/**
 * Logistic regression by Newton's method: the minimum of |w|^2 / 2 + sum over samples of c_s log(1 + exp(-y_s
 * z_s)), z = w x + intercept, y = 1 or -1, with balanced classes: c_s = samples / (2 samples of the class of
 * s). The intercept is not regularised. The fit is deterministic.
 *
 * @param weights one for each feature
 */
record LogisticRegression(double[] weights, double intercept) {
    /** Relative tolerance of the gradient; the penalty bounds the error of the weights by the remaining gradient. */
    private static final double GRADIENT = 1e-6;

    static {
        Linear.disableDebugOutput(); // the library prints to standard output
    }

    /** @param positives [samples, features], like {@code negatives}; neither is empty */
    static LogisticRegression fit(DMatrixRMaj positives, DMatrixRMaj negatives) {
        int features = positives.numCols;
        int samples = positives.numRows + negatives.numRows;
        Problem problem = new Problem();
        problem.l = samples;
        problem.n = features + 1;
        problem.bias = 1;
        problem.x = new Feature[samples][];
        problem.y = new double[samples];
        for (int i = 0; i < samples; i++) {
            boolean positive = i < positives.numRows;
            problem.x[i] = positive ? row(positives, i) : row(negatives, i - positives.numRows);
            problem.y[i] = positive ? 1 : -1;
        }
        Parameter parameter = new Parameter(SolverType.L2R_LR, 1, GRADIENT);
        parameter.setRegularizeBias(false);
        parameter.setWeights(
                new double[] {samples / (2.0 * positives.numRows), samples / (2.0 * negatives.numRows)},
                new int[] {1, -1});
        Model model = Linear.train(problem, parameter);
        double[] weights = model.getFeatureWeights(); // of the class of the first sample: positive
        return new LogisticRegression(Arrays.copyOf(weights, features), weights[features]);
    }

    /** A sample and the constant feature of the intercept. */
    private static Feature[] row(DMatrixRMaj samples, int sample) {
        Feature[] row = new Feature[samples.numCols + 1];
        for (int i = 0; i < samples.numCols; i++) {
            row[i] = new FeatureNode(i + 1, samples.unsafe_get(sample, i));
        }
        row[samples.numCols] = new FeatureNode(samples.numCols + 1, 1);
        return row;
    }

    /** Log odds of the positive class, one per row. */
    double[] logOdds(DMatrixRMaj samples) {
        double[] odds = new double[samples.numRows];
        for (int sample = 0; sample < odds.length; sample++) {
            odds[sample] = intercept;
            for (int i = 0; i < weights.length; i++) {
                odds[sample] += weights[i] * samples.unsafe_get(sample, i);
            }
        }
        return odds;
    }
}
