package headscope.analysis.statistics;

import java.util.List;

/** How well a probe separates two classes of texts, or why it was not fitted. */
public sealed interface ProbeResult {
    /** @param folds AUROC of each test fold */
    record Measured(List<Double> folds) implements ProbeResult {
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
}
