package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionAtlas;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Adds the rows of one call of attention to an atlas. A row of cells that begins in a stripe belongs to this stripe. Rows
 * of cells that began before it, in another stripe or call, receive the stripe's part at the end, in order, so results
 * have the same bits for any number of workers.
 */
final class AtlasCells {
    /** Keys of a cell from which on vectors are faster: reducing their lanes takes as long as some tens of elements. */
    private static final int VECTORS = 64;

    private final MemorySegment cells;
    /** The part of each stripe in the row of cells that began before it, [heads, stripes, side]. */
    private final MemorySegment borders;
    private final Stripes stripes;
    private final int heads;
    private final int side;
    private final boolean maximum;
    private final int firstToken;
    private final int bin;

    /**
     * @param firstToken number of tokens so far
     * @param borders    of {@link #borderBytes}
     */
    AtlasCells(AttentionAtlas atlas, Stripes stripes, int firstToken, MemorySegment borders) {
        this.cells = atlas.cells.bytes();
        this.borders = borders.fill((byte) 0);
        this.stripes = stripes;
        this.heads = atlas.cells.intSize(0);
        this.side = atlas.spec.side();
        this.maximum = atlas.spec.pooling() == AtlasSpec.Pooling.MAXIMUM;
        this.firstToken = firstToken;
        this.bin = atlas.spec.bin(firstToken + stripes.rows());
        int before = atlas.spec.bin(firstToken);
        if (firstToken > 0 && before < bin) {
            merge(atlas.spec.rows(firstToken), bin / before);
        }
    }

    static long borderBytes(AtlasSpec spec, int heads, Stripes stripes) {
        return (long) heads * stripes.count() * spec.side() * Float.BYTES;
    }

    /** In place: a merged cell lies before those that are still to be merged. */
    private void merge(int rows, int factor) {
        for (int head = 0; head < heads; head++) {
            for (int row = 0; row * factor < rows; row++) {
                for (int column = 0; column < side; column++) {
                    float value = merged(head, rows, factor, row * factor, column * factor);
                    cells.setAtIndex(JAVA_FLOAT, index(head, row) + column, value);
                }
            }
        }
    }

    private float merged(int head, int rows, int factor, int firstRow, int firstColumn) {
        float value = 0;
        for (int row = firstRow; row < Math.min(firstRow + factor, rows); row++) {
            for (int column = firstColumn; column < Math.min(firstColumn + factor, side); column++) {
                value = combined(value, cells.getAtIndex(JAVA_FLOAT, index(head, row) + column));
            }
        }
        return value;
    }

    private float combined(float value, float more) {
        return maximum ? Math.max(value, more) : value + more;
    }

    /** Index of the first cell of a row of cells. */
    private long index(int head, int row) {
        return ((long) head * side + row) * side;
    }

    /** Adds one row of a map: probs[index ..] of keys firstKey to endKey - 1. */
    void add(int head, int stripe, int token, MemorySegment probs, long index, int firstKey, int endKey) {
        int row = token / bin;
        boolean begunBefore = row * bin < start(stripe);
        MemorySegment to = begunBefore ? borders : cells;
        long at = begunBefore ? border(head, stripe) : index(head, row);
        if (token == row * bin) {
            to.asSlice(at * Float.BYTES, (long) side * Float.BYTES).fill((byte) 0);
        }
        for (int cell = firstKey / bin; cell * bin < endKey; cell++) {
            int from = Math.max(cell * bin, firstKey);
            int count = Math.min((cell + 1) * bin, endKey) - from;
            long first = index + from - firstKey;
            to.setAtIndex(JAVA_FLOAT, at + cell,
                    combined(to.getAtIndex(JAVA_FLOAT, at + cell), pooled(probs, first, count)));
        }
    }

    /** The first token of a stripe. */
    private int start(int stripe) {
        return firstToken + stripes.border(stripe);
    }

    private long border(int head, int stripe) {
        return ((long) head * stripes.count() + stripe) * side;
    }

    private float pooled(MemorySegment probs, long first, int count) {
        if (count < VECTORS) {
            return pooled(0, probs, first, count);
        }
        int whole = Simd.whole(count);
        float value = maximum ? largest(probs, first, whole) : sum(probs, first, whole);
        return pooled(value, probs, first + whole, count - whole);
    }

    /** The value, combined with count elements one by one. */
    private float pooled(float value, MemorySegment probs, long first, int count) {
        float pooled = value;
        for (long i = first; i < first + count; i++) {
            pooled = combined(pooled, probs.getAtIndex(JAVA_FLOAT, i));
        }
        return pooled;
    }

    private static float largest(MemorySegment values, long first, int count) {
        FloatVector peaks = FloatVector.zero(Simd.FLOATS);
        for (long i = first; i < first + count; i += Simd.WIDTH) {
            peaks = peaks.max(Simd.load(values, i));
        }
        return peaks.reduceLanes(VectorOperators.MAX);
    }

    private static float sum(MemorySegment values, long first, int count) {
        FloatVector sums = FloatVector.zero(Simd.FLOATS);
        for (long i = first; i < first + count; i += Simd.WIDTH) {
            sums = sums.add(Simd.load(values, i));
        }
        return VectorMath.sum(sums);
    }

    /** Adds the parts of rows of a head's cells that began before their stripe, after the rows of all of its stripes. */
    void finish(int head) {
        for (int stripe = 0; stripe < stripes.count(); stripe++) {
            if (start(stripe) % bin > 0) {
                addBorder(index(head, start(stripe) / bin), border(head, stripe));
            }
        }
    }

    private void addBorder(long row, long border) {
        for (int cell = 0; cell < side; cell++) {
            float part = borders.getAtIndex(JAVA_FLOAT, border + cell);
            cells.setAtIndex(JAVA_FLOAT, row + cell, combined(cells.getAtIndex(JAVA_FLOAT, row + cell), part));
        }
    }

    /** Pooled probabilities [heads, rows, side] of a text's rows of cells from the first one on. */
    static float[] read(AttentionAtlas atlas, int tokens, int firstRow) {
        AtlasSpec spec = atlas.spec;
        int side = spec.side();
        int rows = spec.rows(tokens) - firstRow;
        int heads = atlas.cells.intSize(0);
        float[] values = new float[heads * rows * side];
        for (int head = 0; head < heads; head++) {
            MemorySegment.copy(atlas.cells.bytes(), JAVA_FLOAT, ((long) head * side + firstRow) * side * Float.BYTES,
                    values, head * rows * side, rows * side);
        }
        if (spec.pooling() == AtlasSpec.Pooling.MEAN) {
            int[] extent = IntStream.range(0, side).map(cell -> spec.extent(tokens, cell)).toArray();
            for (int i = 0; i < values.length; i++) {
                float entries = (float) extent[firstRow + i / side % rows] * extent[i % side];
                values[i] = entries == 0 ? 0 : values[i] / entries;
            }
        }
        return values;
    }
}
