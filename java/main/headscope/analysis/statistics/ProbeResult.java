package headscope.analysis.statistics;

import java.util.List;

/** How well a probe separates two classes of texts, or why it was not fitted. */
public sealed interface ProbeResult {
    /**
     * @param folds      AUROC of each test fold
     * @param components number of features of the regression: principal components, or all features
     * @param reduction  how principal components were computed
     */
    record Measured(List<Double> folds, int components, Reduction reduction) implements ProbeResult {
        public Measured {
            folds = List.copyOf(folds);
        }

        /** Mean over the folds. */
        public double auroc() {
            return folds.stream().mapToDouble(Double::doubleValue).sum() / folds.size();
        }

        /**
         * Standard deviation over the folds, with n - 1. It measures how folds differ; it is not a standard error of
         * the mean, because folds share training samples.
         */
        public double deviation() {
            double mean = auroc();
            double squares = folds.stream().mapToDouble(f -> (f - mean) * (f - mean)).sum();
            return Math.sqrt(squares / (folds.size() - 1));
        }
    }

    /** @param reason one line */
    record Absent(String reason) implements ProbeResult {}

    /** How the principal components of training texts were computed. */
    enum Reduction {
        /** Not at all: as many components as features or texts may be kept. */
        NONE,
        /** Eigenvectors of the covariance. */
        EXACT,
        /** Randomised PCA from the seed. */
        RANDOMISED
    }
}
