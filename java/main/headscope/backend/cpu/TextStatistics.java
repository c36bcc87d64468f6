package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** Receives the rows of one text in one call of attention. */
final class TextStatistics {
    private final AttentionStatistics statistics;
    private final AttentionSpec spec;
    private final AttentionLayout layout;
    private final int capacity;
    private final ColumnSums sums;
    private final Optional<AtlasCells> cells;
    private final MemorySegment logSumExp;
    private final MemorySegment logDiagonal;
    private final MemorySegment entropy;
    private final MemorySegment maximum;
    private final MemorySegment previous;
    private final MemorySegment distance;
    private final MemorySegment columnSum;
    private final MemorySegment newestRow;

    /**
     * @param statistics of the text, before this call's rows
     * @param sums       temporary; not used for a single query
     */
    TextStatistics(
            AttentionStatistics statistics, AttentionLayout layout, ColumnSums sums, Optional<AtlasCells> cells) {
        this.statistics = statistics;
        this.spec = layout.spec();
        this.layout = layout;
        this.capacity = statistics.capacity();
        this.sums = sums;
        this.cells = cells;
        this.logSumExp = statistics.logSumExp.bytes();
        this.logDiagonal = statistics.logDiagonal.bytes();
        this.entropy = statistics.entropy.bytes();
        this.maximum = statistics.maximum.bytes();
        this.previous = statistics.previous.bytes();
        this.distance = statistics.distance.bytes();
        this.columnSum = statistics.columnSum.bytes();
        this.newestRow = statistics.row.bytes();
    }

    private boolean isSingle() {
        return layout.queries() == 1;
    }

    /** The column sums to which the blocks of a stripe are added. */
    MemorySegment columns(int head, int stripe) {
        if (!isSingle()) {
            return sums.cleared(head, stripe);
        }
        MemorySegment totals = columnSum.asSlice((long) head * capacity * Double.BYTES, (long) capacity * Double.BYTES);
        totals.setAtIndex(JAVA_DOUBLE, statistics.tokens(), 0);
        return totals;
    }

    void store(int head, int token, SoftmaxRow row) {
        long at = (long) head * capacity + token;
        logSumExp.setAtIndex(JAVA_FLOAT, at, row.logSumExp);
        logDiagonal.setAtIndex(JAVA_FLOAT, at, row.logDiagonal);
        entropy.setAtIndex(JAVA_FLOAT, at, row.entropy);
        maximum.setAtIndex(JAVA_FLOAT, at, row.maximum);
        previous.setAtIndex(JAVA_FLOAT, at, row.previous);
        distance.setAtIndex(JAVA_FLOAT, at, row.distance);
    }

    /** Adds the probabilities of a block, and copies those of a single query. */
    void add(int head, int stripe, MemorySegment columns, AttentionBlock block) {
        ColumnSums.add(columns, block.firstKey, block.scores, block.rows, block.stride, block.width());
        if (isSingle()) {
            long row = (long) head * capacity;
            newestRow.asSlice(row * Float.BYTES, (long) layout.keys() * Float.BYTES).fill((byte) 0);
            MemorySegment.copy(block.scores, 0, newestRow, (row + block.firstKey) * Float.BYTES,
                    (long) block.width() * Float.BYTES);
        }
        if (cells.isPresent()) {
            AtlasCells atlas = cells.get();
            block.eachRow((token, row) ->
                    atlas.add(head, stripe, token, block.scores, row, block.firstKey, block.endKey));
        }
    }

    /** Completes a head's sums and cells after all of its rows have been added. */
    void finish(int head) {
        if (!isSingle()) {
            addColumnSums(head);
        }
        HeadFold.addRows(statistics, spec, head, layout.queries());
        cells.ifPresent(atlas -> atlas.finish(head));
    }

    private void addColumnSums(int head) {
        long base = (long) head * capacity;
        int tokens = statistics.tokens();
        for (int key = 0; key < layout.keys(); key++) {
            double before = key < tokens ? columnSum.getAtIndex(JAVA_DOUBLE, base + key) : 0;
            columnSum.setAtIndex(JAVA_DOUBLE, base + key, sums.sum(before, head, key));
        }
    }
}
