package headscope.backend;

import headscope.metric.Metric;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/** Every metric from the whole map of a head, by the formulas of docs/metrics.md. */
final class ReferenceMetrics {
    private ReferenceMetrics() {}

    static double[][] exp(double[][] logMap) {
        return Arrays.stream(logMap).map(row -> Arrays.stream(row).map(Math::exp).toArray()).toArray(double[][]::new);
    }

    /** @param logMap logarithms of map, finite also where map underflows to 0 */
    static double[] of(Metric metric, double[][] logMap, double[][] map, AttentionSpec spec) {
        int tokens = map.length;
        return switch (metric) {
            case Metric.AttentionScore m -> mean(0, tokens, i -> logMap[i][i]);
            case Metric.LaplacianEigenvalues m ->
                    largest(m.largest(), tokens, i -> columnSum(map, i) / (tokens - i) - map[i][i]);
            case Metric.AttentionEigenvalues m -> largest(m.largest(), tokens, i -> map[i][i]);
            case Metric.Entropy m -> mean(0, tokens, i -> entropy(map[i]));
            case Metric.NormalisedEntropy m -> normalisedEntropy(map, spec);
            case Metric.SinkShare m -> new double[] {columnSum(map, 0) / tokens};
            case Metric.MeanDistance m -> mean(0, tokens, i -> distance(map[i], i));
            case Metric.PreviousToken m -> mean(1, tokens, i -> map[i][i - 1]);
            case Metric.SelfAttention m -> mean(0, tokens, i -> map[i][i]);
            case Metric.Confidence m -> mean(0, tokens, i -> maximum(map[i]));
            case Metric.Symmetric m -> new double[] {m.of(symmetricSpectrum(map))};
        };
    }

    static double entropy(double[] row) {
        double sum = 0;
        for (double p : row) {
            sum -= p == 0 ? 0 : p * Math.log(p);
        }
        return sum;
    }

    static double maximum(double[] row) {
        return Arrays.stream(row).max().orElseThrow();
    }

    static double distance(double[] row, int query) {
        double sum = 0;
        for (int key = 0; key < row.length; key++) {
            sum += row[key] * Math.abs(query - key);
        }
        return sum;
    }

    static double columnSum(double[][] map, int key) {
        double sum = 0;
        for (double[] row : map) {
            sum += row[key];
        }
        return sum;
    }

    /**
     * Mean over rows with more than one visible key; each is divided by the logarithm of the number of keys without a
     * window.
     */
    private static double[] normalisedEntropy(double[][] map, AttentionSpec spec) {
        double sum = 0;
        int rows = 0;
        for (int i = 0; i < map.length; i++) {
            int keys = spec.causal() ? i + 1 : map.length;
            if (keys > 1) {
                sum += entropy(map[i]) / Math.log(keys);
                rows++;
            }
        }
        return new double[] {sum / rows};
    }

    private static double[] mean(int first, int tokens, IntToDoubleFunction value) {
        double sum = 0;
        for (int i = first; i < tokens; i++) {
            sum += value.applyAsDouble(i);
        }
        return new double[] {sum / (tokens - first)};
    }

    private static double[] largest(int count, int tokens, IntToDoubleFunction value) {
        double[] values = new double[tokens];
        for (int i = 0; i < tokens; i++) {
            values[i] = -value.applyAsDouble(i);
        }
        Arrays.sort(values);
        double[] kept = Arrays.copyOf(values, Math.min(count, tokens));
        Arrays.setAll(kept, i -> -kept[i]);
        return kept;
    }

    /** Eigenvalues, ascending, of I - D^-1/2 W D^-1/2 with W = (A + A') / 2 and D = diag(W 1). */
    static double[] symmetricSpectrum(double[][] map) {
        int tokens = map.length;
        double[][] matrix = new double[tokens][tokens];
        double[] degree = new double[tokens];
        for (int i = 0; i < tokens; i++) {
            for (int j = 0; j < tokens; j++) {
                degree[i] += (map[i][j] + map[j][i]) / 2;
            }
        }
        for (int i = 0; i < tokens; i++) {
            for (int j = 0; j < tokens; j++) {
                double weight = (map[i][j] + map[j][i]) / 2;
                matrix[i][j] = (i == j ? 1 : 0) - (weight == 0 ? 0 : weight / Math.sqrt(degree[i] * degree[j]));
            }
        }
        return jacobi(matrix);
    }

    /** Eigenvalues, ascending, of a symmetric matrix, by Jacobi rotations; the matrix is overwritten. */
    static double[] jacobi(double[][] a) {
        int n = a.length;
        double rest = Double.POSITIVE_INFINITY;
        while (rest > 1e-24 * n) {
            rest = 0;
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    rest += a[p][q] * a[p][q];
                    if (Math.abs(a[p][q]) > 1e-300) {
                        rotate(a, p, q);
                    }
                }
            }
        }
        double[] eigenvalues = new double[n];
        Arrays.setAll(eigenvalues, i -> a[i][i]);
        Arrays.sort(eigenvalues);
        return eigenvalues;
    }

    /** Jacobi rotation of rows and columns p and q that makes a[p][q] zero. */
    private static void rotate(double[][] a, int p, int q) {
        double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        double t = Math.copySign(1, theta) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        double c = 1 / Math.sqrt(t * t + 1);
        double s = t * c;
        for (int k = 0; k < a.length; k++) {
            double first = a[k][p];
            double second = a[k][q];
            a[k][p] = c * first - s * second;
            a[k][q] = s * first + c * second;
        }
        for (int k = 0; k < a.length; k++) {
            double first = a[p][k];
            double second = a[q][k];
            a[p][k] = c * first - s * second;
            a[q][k] = s * first + c * second;
        }
    }
}
