package headscope.backend;

import java.util.List;

/** Pooled maps and a head's vectors from whole maps [tokens, tokens]. */
final class ReferenceAtlas {
    private ReferenceAtlas() {}

    /** [heads, rows, side] of the rows of cells from the first one on. */
    static float[] cells(List<double[][]> maps, AtlasSpec spec, int firstRow) {
        int tokens = maps.getFirst().length;
        int bin = 1;
        while (bin * spec.side() < tokens) {
            bin *= 2;
        }
        int rows = (tokens - 1) / bin + 1 - firstRow;
        float[] cells = new float[maps.size() * rows * spec.side()];
        for (int i = 0; i < cells.length; i++) {
            int row = i / spec.side() % rows + firstRow;
            cells[i] = (float) cell(maps.get(i / spec.side() / rows), spec.pooling(), bin, row, i % spec.side());
        }
        return cells;
    }

    private static double cell(double[][] map, AtlasSpec.Pooling pooling, int bin, int row, int column) {
        double largest = 0;
        double sum = 0;
        int entries = 0;
        for (int i = row * bin; i < Math.min((row + 1) * bin, map.length); i++) {
            for (int j = column * bin; j < Math.min((column + 1) * bin, map.length); j++) {
                largest = Math.max(largest, map[i][j]);
                sum += map[i][j];
                entries++;
            }
        }
        return pooling == AtlasSpec.Pooling.MAXIMUM ? largest : sum / Math.max(1, entries);
    }

    static AttentionSnapshot.HeadVectors vectors(double[][] map, double[][] logMap, boolean hasRow) {
        int tokens = map.length;
        float[] row = new float[hasRow ? tokens : 0];
        double[] columnSum = new double[tokens];
        float[] logDiagonal = new float[tokens];
        for (int j = 0; j < tokens; j++) {
            columnSum[j] = ReferenceMetrics.columnSum(map, j);
            logDiagonal[j] = (float) logMap[j][j];
            if (hasRow) {
                row[j] = (float) map[tokens - 1][j];
            }
        }
        return new AttentionSnapshot.HeadVectors(row, columnSum, logDiagonal);
    }
}
