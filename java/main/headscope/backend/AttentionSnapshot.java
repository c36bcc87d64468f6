package headscope.backend;

import headscope.metric.LayerResult;
import headscope.metric.Metric;
import java.util.List;
import java.util.Optional;

/**
 * What is known of some heads after a pass, on the heap; see {@link Backend#snapshot}. Arrays are not copied.
 *
 * @param tokens   number of rows so far
 * @param metrics  the requested ones, of every head
 * @param bin      tokens per cell of the atlas; 0 if no cells were requested
 * @param firstRow the first requested row of cells
 * @param cells    pooled probabilities [heads, rows, P] of the rows of cells from the first one on; 0 beyond the text's
 *                 columns
 * @param head     the requested head's vectors
 */
public record AttentionSnapshot(
        int tokens, LayerResult metrics, int bin, int firstRow, float[] cells, Optional<HeadVectors> head) {
    /**
     * Selects what is downloaded.
     *
     * @param metrics  metrics with one value per head, not {@link Metric.Spectrum} or {@link Metric.Symmetric}
     * @param firstRow the first row of cells, such as {@link AttentionStatistics#firstChangedRow} or 0; empty for none
     * @param head     index of a head in the statistics; empty for none
     */
    public record Request(List<Metric> metrics, Optional<Integer> firstRow, Optional<Integer> head) {
        public Request {
            metrics = List.copyOf(metrics);
        }
    }

    /**
     * Vectors of one head over the tokens so far; see {@link AttentionStatistics}.
     *
     * @param row         a_ij of the newest row; empty unless {@link AttentionStatistics#hasRow}
     * @param columnSum   [tokens]
     * @param logDiagonal [tokens]
     */
    public record HeadVectors(float[] row, double[] columnSum, float[] logDiagonal) {
        /** All T {@link Metric.LaplacianEigenvalues} of a causal map, in the order of the tokens. */
        public double[] laplacian() {
            double[] values = new double[columnSum.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = columnSum[i] / (values.length - i) - Math.exp(logDiagonal[i]);
            }
            return values;
        }
    }
}
