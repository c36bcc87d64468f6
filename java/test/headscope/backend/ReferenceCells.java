package headscope.backend;

/** A map [tokens, tokens] pooled to cells; token i lies in cell i * cells / tokens. */
record ReferenceCells(double[][] map, int cells) {
    private int cell(int row, int column) {
        return row * cells / map.length * cells + column * cells / map.length;
    }

    /** [cells, cells], as {@link #mean} */
    double[] maximum() {
        double[] maximum = new double[cells * cells];
        for (int i = 0; i < map.length && cells > 0; i++) {
            for (int j = 0; j < map.length; j++) {
                maximum[cell(i, j)] = Math.max(maximum[cell(i, j)], map[i][j]);
            }
        }
        return maximum;
    }

    double[] mean() {
        double[] mean = new double[cells * cells];
        int[] elements = new int[mean.length];
        for (int i = 0; i < map.length && cells > 0; i++) {
            for (int j = 0; j < map.length; j++) {
                mean[cell(i, j)] += map[i][j];
                elements[cell(i, j)]++;
            }
        }
        for (int cell = 0; cell < mean.length; cell++) {
            mean[cell] /= elements[cell];
        }
        return mean;
    }
}
