package headscope.backend;

/** What {@link AttentionSaliency} keeps of one head, read off the whole map of |a dL/da| [tokens, tokens]. */
record ReferenceSaliency(double[][] map, AttentionSaliency.Request request) {
    int tokens() {
        return map.length;
    }

    double[] rows() {
        double[] sums = new double[tokens()];
        for (int i = 0; i < tokens(); i++) {
            for (double value : map[i]) {
                sums[i] += value;
            }
        }
        return sums;
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
        double[] maximum = new double[tokens()];
        double[] columns = maximumColumn();
        for (int i = 0; i < tokens(); i++) {
            maximum[i] = map[i][(int) columns[i]];
        }
        return maximum;
    }

    double[] maximumColumn() {
        double[] columns = new double[tokens()];
        for (int i = 0; i < tokens(); i++) {
            int best = 0;
            for (int j = 1; j < tokens(); j++) {
                best = map[i][j] > map[i][best] ? j : best;
            }
            columns[i] = best;
        }
        return columns;
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
        return new ReferenceCells(map, request.cells()).maximum();
    }

    double[] pooledMean() {
        return new ReferenceCells(map, request.cells()).mean();
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
