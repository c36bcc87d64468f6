package headscope.backend;

import java.util.Arrays;

/** The reductions of {@link AttentionSaliency} for one head, from its whole map |a dL/da| [tokens, tokens]. */
record ReferenceSaliency(double[][] map, AttentionSaliency.Request request) {
    int tokens() {
        return map.length;
    }

    /** The map, 0 in the columns before {@link AttentionSaliency.Request#firstSource}. */
    private double[][] counted() {
        double[][] counted = new double[tokens()][];
        for (int i = 0; i < tokens(); i++) {
            counted[i] = map[i].clone();
            Arrays.fill(counted[i], 0, request.firstSource(), 0);
        }
        return counted;
    }

    double[] rows() {
        return Arrays.stream(counted()).mapToDouble(row -> Arrays.stream(row).sum()).toArray();
    }

    double[] columns() {
        double[] sums = new double[tokens()];
        for (double[] row : map) {
            for (int j = 0; j < tokens(); j++) {
                sums[j] += row[j];
            }
        }
        return sums;
    }

    double[] maximum() {
        return Arrays.stream(counted()).mapToDouble(row -> Arrays.stream(row).max().orElseThrow()).toArray();
    }

    /** [tokens, groups] */
    double[] groups() {
        int groups = request.groupCount();
        int[] groupOf = request.groups();
        double[] sums = new double[tokens() * groups];
        for (int i = 0; i < tokens(); i++) {
            for (int j = 0; j < tokens(); j++) {
                if (groupOf[j] >= 0) {
                    sums[i * groups + groupOf[j]] += map[i][j];
                }
            }
        }
        return sums;
    }

    /** [cells, cells], as {@link #pooledMean} */
    double[] pooledMaximum() {
        return new ReferenceCells(counted(), request.cells()).maximum();
    }

    double[] pooledMean() {
        return new ReferenceCells(counted(), request.cells()).mean();
    }

    /** [tokens, tokens] */
    double[] elements() {
        double[] elements = new double[tokens() * tokens()];
        for (int i = 0; i < tokens(); i++) {
            System.arraycopy(map[i], 0, elements, i * tokens(), tokens());
        }
        return elements;
    }
}
