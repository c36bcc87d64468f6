package headscope.analysis.spectra;

import headscope.analysis.HeadName;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The values of every token of one text in chosen heads: one array per value of the request, [tokens, heads].
 *
 * @param heads of all layers, in the order of the arrays
 */
record TokenValues(PerToken request, List<HeadName> heads, int tokens, List<float[]> values) {
    static TokenValues of(PerToken request, List<HeadName> heads, int tokens) {
        return new TokenValues(request, heads, tokens,
                request.values().stream().map(_ -> new float[tokens * heads.size()]).toList());
    }

    /** Measures the chosen heads of a layer. */
    void measure(int layer, Backend backend, AttentionStatistics statistics, AttentionSpec spec) {
        for (int at = 0; at < heads.size() && !request.values().isEmpty(); at++) {
            if (heads.get(at).layer() == layer) {
                Rows rows = new Rows(backend, statistics, spec, heads.get(at).head());
                for (int value = 0; value < request.values().size(); value++) {
                    double[] ofTokens = rows.of(request.values().get(value));
                    for (int token = 0; token < tokens; token++) {
                        values.get(value)[token * heads.size() + at] = (float) ofTokens[token];
                    }
                }
            }
        }
    }

    /** The statistics of one head. */
    private record Rows(Backend backend, AttentionStatistics statistics, AttentionSpec spec, int head) {
        double[] of(PerToken.Value value) {
            return switch (value) {
                case ATTENTION_SCORE -> floats(statistics.logDiagonal);
                case LAPLACIAN -> laplacian();
                case ATTENTION_EIGENVALUES, SELF_ATTENTION -> diagonal();
                case ENTROPY -> floats(statistics.entropy);
                case NORMALISED_ENTROPY -> normalisedEntropy();
                case MEAN_DISTANCE -> floats(statistics.distance);
                case PREVIOUS_TOKEN -> previous();
                case CONFIDENCE -> floats(statistics.maximum);
                case COLUMN_SUM -> columnSums();
            };
        }

        private double[] floats(Tensor perToken) {
            float[] values = backend.download(perToken.rows(head, 1));
            double[] wide = new double[statistics.tokens()];
            for (int token = 0; token < wide.length; token++) {
                wide[token] = values[token];
            }
            return wide;
        }

        private double[] columnSums() {
            double[] sums = new double[statistics.capacity()];
            backend.download(MemorySegment.ofArray(sums), statistics.columnSum.rows(head, 1));
            return sums;
        }

        private double[] diagonal() {
            double[] diagonal = floats(statistics.logDiagonal);
            for (int token = 0; token < diagonal.length; token++) {
                diagonal[token] = Math.exp(diagonal[token]);
            }
            return diagonal;
        }

        private double[] laplacian() {
            double[] diagonal = diagonal();
            double[] sums = columnSums();
            for (int token = 0; token < diagonal.length; token++) {
                diagonal[token] = sums[token] / (diagonal.length - token) - diagonal[token];
            }
            return diagonal;
        }

        private double[] normalisedEntropy() {
            double[] entropy = floats(statistics.entropy);
            for (int token = 0; token < entropy.length; token++) {
                int keys = spec.endKey(token, entropy.length);
                entropy[token] = keys > 1 ? entropy[token] / Math.log(keys) : Double.NaN;
            }
            return entropy;
        }

        private double[] previous() {
            double[] previous = floats(statistics.previous);
            previous[0] = Double.NaN;
            return previous;
        }
    }
}
