package headscope.render.screen;

import java.util.Arrays;

/**
 * Levels of square maps in slots whose side is a power of two: a value of level l is the largest of 2^l x 2^l cells, NaN
 * if one of them is. Level 0 is not stored; cells outside a map count as 0.
 */
final class MaxPyramid {
    private final int maps;
    private final int slot;
    private final float[][] levels;

    /** @param slot side of a map, a power of two */
    MaxPyramid(int maps, int slot) {
        this.maps = maps;
        this.slot = slot;
        this.levels = new float[last() + 1][];
        for (int level = 1; level <= last(); level++) {
            levels[level] = new float[Math.multiplyExact(maps, side(level) * side(level))];
        }
    }

    /** The last level, with one value per map. */
    int last() {
        return Integer.numberOfTrailingZeros(slot);
    }

    int side(int level) {
        return slot >> level;
    }

    /** Updates what depends on some rows of cells of one map, in levels from 1. */
    void update(float[] values, int map, int side, int firstRow, int endRow) {
        for (int level = 1; level <= last(); level++) {
            int length = side(level);
            for (int row = firstRow >> level; row <= endRow - 1 >> level; row++) {
                int at = (map * length + row) * length;
                float[] to = levels[level];
                Arrays.fill(to, at, at + length, 0);
                if (level == 1) {
                    join(values, (map * side + 2 * row) * side, 2 * row < side ? side : 0, to, at);
                    join(values, (map * side + 2 * row + 1) * side, 2 * row + 1 < side ? side : 0, to, at);
                } else {
                    float[] from = levels[level - 1];
                    join(from, (map * 2 * length + 2 * row) * 2 * length, 2 * length, to, at);
                    join(from, (map * 2 * length + 2 * row + 1) * 2 * length, 2 * length, to, at);
                }
            }
        }
    }

    private static void join(float[] from, int start, int length, float[] to, int at) {
        for (int i = 0; i < length; i++) {
            int cell = at + i / 2;
            to[cell] = Math.max(to[cell], from[start + i]); // NaN if either is
        }
    }

    /** One row of a map in a level from 1. */
    int row(int level, int map, int row) {
        return (map * side(level) + row) * side(level);
    }

    float[] level(int level) {
        return levels[level];
    }
}
