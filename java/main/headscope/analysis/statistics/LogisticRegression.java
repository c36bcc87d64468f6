package headscope.analysis.statistics;

import java.util.Arrays;
import java.util.Optional;
import org.ejml.data.DMatrixRMaj;

/**
 * Logistic regression by Newton's method with exact steps: the minimum of |w|^2 / 2 + sum over samples of c_s
 * log(1 + exp(-y_s z_s)), z = w x + intercept, y = 1 or -1, with balanced classes: c_s = samples / (2 samples of the
 * class of s). The intercept is not regularised. A step costs samples x features^2 operations; some ten suffice. The
 * fit is deterministic.
 *
 * @param weights one for each feature
 */
record LogisticRegression(double[] weights, double intercept) {
    /** Relative tolerance of the gradient; the penalty bounds the error of the weights by the remaining gradient. */
    private static final double GRADIENT = 1e-8;

    private static final int MAX_STEPS = 100;

    /** A step is halved until the loss falls by this share of what its slope promises (Armijo's rule). */
    private static final double DECREASE = 1e-4;

    private static final int MAX_HALVINGS = 40;

    /** @param positives [samples, features], like {@code negatives}; neither is empty */
    static LogisticRegression fit(DMatrixRMaj positives, DMatrixRMaj negatives) {
        Problem problem = Problem.of(positives, negatives);
        double[] solution = new double[positives.numCols + 1];
        Losses losses = problem.losses(solution);
        double first = norm(problem.gradient(solution, losses));
        for (int i = 0; i < MAX_STEPS; i++) {
            double[] gradient = problem.gradient(solution, losses);
            if (norm(gradient) <= GRADIENT * first) {
                break;
            }
            double[] step = problem.newtonStep(gradient, losses);
            double slope = 0;
            for (int j = 0; j < step.length; j++) {
                slope += step[j] * gradient[j];
            }
            double share = 1;
            double[] next = moved(solution, step, share);
            Losses nextLosses = problem.losses(next);
            for (int j = 0; j < MAX_HALVINGS && !(nextLosses.total <= losses.total - DECREASE * share * slope); j++) {
                share /= 2;
                next = moved(solution, step, share);
                nextLosses = problem.losses(next);
            }
            if (!(nextLosses.total < losses.total)) {
                break; // the loss is minimal within rounding
            }
            solution = next;
            losses = nextLosses;
        }
        double[] weights = Arrays.copyOf(solution, positives.numCols);
        return new LogisticRegression(weights, solution[positives.numCols]);
    }

    private static double[] moved(double[] solution, double[] step, double share) {
        double[] moved = solution.clone();
        for (int i = 0; i < moved.length; i++) {
            moved[i] -= share * step[i];
        }
        return moved;
    }

    private static double norm(double[] values) {
        double squares = 0;
        for (double value : values) {
            squares += value * value;
        }
        return Math.sqrt(squares);
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

    /**
     * The loss at a solution.
     *
     * @param slopes     first derivative of each sample's loss by its log odds
     * @param curvatures second derivative
     */
    private record Losses(double total, double[] slopes, double[] curvatures) {}

    /**
     * @param samples   [samples, features + 1], the last feature 1; positives first
     * @param costs     of a positive and of a negative sample
     * @param positives number of positive samples
     */
    private record Problem(DMatrixRMaj samples, int positives, double positiveCost, double negativeCost) {
        static Problem of(DMatrixRMaj positives, DMatrixRMaj negatives) {
            int count = positives.numRows + negatives.numRows;
            int features = positives.numCols;
            DMatrixRMaj samples = new DMatrixRMaj(count, features + 1);
            for (int i = 0; i < count; i++) {
                DMatrixRMaj from = i < positives.numRows ? positives : negatives;
                int row = i < positives.numRows ? i : i - positives.numRows;
                System.arraycopy(from.data, row * features, samples.data, i * (features + 1), features);
                samples.unsafe_set(i, features, 1);
            }
            return new Problem(samples, positives.numRows, count / (2.0 * positives.numRows),
                    count / (2.0 * negatives.numRows));
        }

        Losses losses(double[] solution) {
            DMatrixRMaj odds = Products.product(samples, DMatrixRMaj.wrap(solution.length, 1, solution));
            double total = 0;
            for (int i = 0; i < solution.length - 1; i++) {
                total += solution[i] * solution[i] / 2;
            }
            double[] slopes = new double[samples.numRows];
            double[] curvatures = new double[samples.numRows];
            for (int i = 0; i < slopes.length; i++) {
                double sign = i < positives ? 1 : -1;
                double cost = i < positives ? positiveCost : negativeCost;
                double margin = sign * odds.data[i];
                double small = Math.exp(-Math.abs(margin));
                double wrong = (margin > 0 ? small : 1) / (1 + small); // 1 / (1 + exp(margin))
                total += cost * (Math.max(-margin, 0) + Math.log1p(small));
                slopes[i] = -sign * cost * wrong;
                curvatures[i] = cost * small / ((1 + small) * (1 + small));
            }
            return new Losses(total, slopes, curvatures);
        }

        double[] gradient(double[] solution, Losses losses) {
            double[] gradient = Products.product(
                    DMatrixRMaj.wrap(1, samples.numRows, losses.slopes), samples).data;
            for (int i = 0; i < gradient.length - 1; i++) {
                gradient[i] += solution[i];
            }
            return gradient;
        }

        /**
         * The inverse of the second derivatives times the gradient. If they are singular within rounding, as for
         * huge features, their diagonal is raised until they are not.
         */
        double[] newtonStep(double[] gradient, Losses losses) {
            int size = samples.numCols;
            DMatrixRMaj scaled = samples.copy();
            for (int i = 0; i < samples.numRows; i++) {
                double root = Math.sqrt(losses.curvatures[i]);
                for (int j = 0; j < size; j++) {
                    scaled.data[i * size + j] *= root;
                }
            }
            DMatrixRMaj curvature = Products.gram(scaled);
            double largest = 1;
            for (int i = 0; i < size; i++) {
                curvature.data[i * size + i] += i < size - 1 ? 1 : 0;
                largest = Math.max(largest, curvature.unsafe_get(i, i));
            }
            for (double raise = 0; ; raise = Math.max(1e-14 * largest, 10 * raise)) {
                DMatrixRMaj raised = curvature.copy();
                for (int i = 0; i < size; i++) {
                    raised.data[i * size + i] += raise;
                }
                Optional<Cholesky> factored = Cholesky.of(raised);
                if (factored.isPresent()) {
                    return factored.get().solve(gradient);
                }
            }
        }
    }
}
