package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionSaliency;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Accumulates tiles of |a dL/da| into an {@link AttentionSaliency}. Tiles of a row are added in the order of their
 * keys, and each row of pooled cells belongs to one worker.
 */
final class SaliencyFold {
    private final AttentionSaliency saliency;
    private final ColumnSums columnSums;
    private final int tokens;
    private final int groups;
    private final int firstSource;
    private final PooledCells cells;
    private final List<Integer> maps;
    /** [tokens, groups], 1 if a token belongs to a group, else 0. */
    private final MemorySegment membership;
    private final MemorySegment signed;
    private final MemorySegment rows;
    private final MemorySegment maximum;

    /** @param membership temporary memory of {@link #membershipBytes} bytes */
    SaliencyFold(AttentionSaliency saliency, ColumnSums columnSums, MemorySegment membership) {
        this.saliency = saliency;
        this.columnSums = columnSums;
        this.tokens = saliency.tokens;
        this.groups = saliency.groups.intSize(2);
        this.firstSource = saliency.request.firstSource();
        this.cells = new PooledCells(saliency.pooledMaximum, saliency.pooledMean, tokens);
        this.maps = saliency.request.maps();
        this.membership = membership.fill((byte) 0);
        this.signed = saliency.signed.bytes();
        this.rows = saliency.rows.bytes();
        this.maximum = saliency.maximum.bytes();
        int[] groupOf = saliency.request.groups();
        for (int token = 0; token < tokens; token++) {
            if (groupOf[token] >= 0) {
                membership.setAtIndex(JAVA_FLOAT, (long) token * groups + groupOf[token], 1);
            }
        }
        for (Tensor accumulated : new Tensor[] {
            saliency.rows, saliency.maximum, saliency.groups, saliency.maps
        }) {
            accumulated.bytes().fill((byte) 0);
        }
    }

    static long membershipBytes(AttentionSaliency saliency) {
        return saliency.tokens * saliency.groups.size(2) * Float.BYTES;
    }

    /** See {@link PooledCells#aligned}. */
    int alignedToCells(int row) {
        return cells.aligned(row);
    }

    /** @param sums column sums of the tile's stripe, from {@link ColumnSums#cleared} */
    void add(int head, AttentionTile tile, MemorySegment sums) {
        ColumnSums.add(sums, tile.firstKey, tile.saliency, tile.rows, tile.stride, tile.width);
        if (groups > 0) {
            OpenBlas.multiply(
                    tile.rows, groups, tile.width, 1,
                    new Matrix(tile.saliency, 0, tile.stride),
                    new Matrix(membership, (long) tile.firstKey * groups, groups),
                    1, new Matrix(saliency.groups.bytes(), ((long) head * tokens + tile.firstToken) * groups, groups));
        }
        int map = maps.indexOf(head);
        for (int r = 0; r < tile.rows; r++) {
            if (map >= 0) {
                copyRow(map, tile, r);
            }
            tile.clearSaliency(r, firstSource - tile.firstKey);
            addRow(head, tile, r);
        }
    }

    private void copyRow(int map, AttentionTile tile, int r) {
        MemorySegment.copy(
                tile.saliency, (long) r * tile.stride * Float.BYTES, saliency.maps.bytes(),
                (((long) map * tokens + tile.firstToken + r) * tokens + tile.firstKey) * Float.BYTES,
                (long) tile.width * Float.BYTES);
    }

    private void addRow(int head, AttentionTile tile, int r) {
        int token = tile.firstToken + r;
        long at = (long) head * tokens + token;
        signed.setAtIndex(JAVA_FLOAT, at, tile.dots[r]);
        rows.setAtIndex(JAVA_FLOAT, at, rows.getAtIndex(JAVA_FLOAT, at) + tile.sum(r));
        maximum.setAtIndex(JAVA_FLOAT, at, Math.max(maximum.getAtIndex(JAVA_FLOAT, at), tile.peak(r)));
        cells.add(head, token, tile.saliency, (long) r * tile.stride, tile.firstKey, tile.width);
    }

    /** Writes a head's column sums, after all of its tiles have been added. */
    void finish(int head) {
        MemorySegment columns = saliency.columns.bytes();
        for (int key = 0; key < tokens; key++) {
            columns.setAtIndex(JAVA_FLOAT, (long) head * tokens + key, (float) columnSums.sum(0, head, key));
        }
    }
}
