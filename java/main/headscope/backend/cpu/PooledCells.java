package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Maximum and mean of [tokens, tokens] maps over cells: token i lies in cell i * cells / tokens. Rows of a map are
 * added in the order of their keys, and each row of cells belongs to one worker.
 */
final class PooledCells {
    private final MemorySegment maximum;
    private final MemorySegment mean;
    private final int tokens;
    /** Cells per side; 0 for no pooling. */
    private final int cells;

    /** @param maximum [heads, cells, cells], as mean; both are set to 0 */
    PooledCells(Tensor maximum, Tensor mean, int tokens) {
        this.maximum = maximum.bytes().fill((byte) 0);
        this.mean = mean.bytes().fill((byte) 0);
        this.tokens = tokens;
        this.cells = mean.intSize(1);
    }

    /** The first row at or after this one at which a row of cells begins. */
    int aligned(int row) {
        return cells == 0 ? row : start((int) (((long) row * cells + tokens - 1) / tokens));
    }

    /** The first token of a cell. */
    private int start(int cell) {
        return (int) (((long) cell * tokens + cells - 1) / cells);
    }

    private int cell(int token) {
        return (int) ((long) token * cells / tokens);
    }

    private int size(int cell) {
        return start(cell + 1) - start(cell);
    }

    /** Adds one row of a map: values[first ..] of a token for keys firstKey to firstKey + width - 1. */
    void add(int head, int token, MemorySegment values, long first, int firstKey, int width) {
        if (cells == 0) {
            return;
        }
        int cellRow = cell(token);
        int height = size(cellRow);
        long row = ((long) head * cells + cellRow) * cells;
        int end = firstKey + width;
        for (int cell = cell(firstKey); cell < cells && start(cell) < end; cell++) {
            float sum = 0;
            float peak = 0;
            int to = Math.min(start(cell + 1), end);
            for (int key = Math.max(start(cell), firstKey); key < to; key++) {
                float value = values.getAtIndex(JAVA_FLOAT, first + key - firstKey);
                sum += value;
                peak = Math.max(peak, value);
            }
            maximum.setAtIndex(JAVA_FLOAT, row + cell, Math.max(peak, maximum.getAtIndex(JAVA_FLOAT, row + cell)));
            mean.setAtIndex(JAVA_FLOAT, row + cell,
                    mean.getAtIndex(JAVA_FLOAT, row + cell) + sum / height / size(cell));
        }
    }
}
