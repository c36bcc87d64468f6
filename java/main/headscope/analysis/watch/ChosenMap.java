package headscope.analysis.watch;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSnapshot;
import headscope.backend.AttentionSnapshot.HeadVectors;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.result.frame.ChosenHead;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * The map of the head that a viewer looks at closely, as it grows. A map of more than {@link #MAX_TOKENS} tokens is that
 * of the atlas.
 */
final class ChosenMap {
    /** The whole map is computed, downloaded and pooled when a head is picked: for this length within a second. */
    static final int MAX_TOKENS = 8192;

    private static final int CELLS = 1024;

    /** Rows of the map that are computed at a time. */
    private static final int STRIPE = 256;

    private final ObservedText text;
    private final PooledMap map = new PooledMap(CELLS);
    private int layer;
    private int head;
    private int atlasBin;

    ChosenMap(ObservedText text) {
        this.text = text;
    }

    void pick(int chosenLayer, int chosenHead) {
        layer = chosenLayer;
        head = chosenHead;
        map.clear();
        atlasBin = 0;
    }

    int layer() {
        return layer;
    }

    /** Index among the heads of all layers. */
    int index() {
        return layer * text.heads() + head;
    }

    /** What is new after a pass. */
    ChosenHead of(HeadVectors vectors) {
        int end = text.statistics().tokens();
        float[] eigenvalues = text.causal() ? ChosenHead.shown(vectors.laplacian()) : new float[0];
        if (end > MAX_TOKENS) {
            return ofAtlas(text.statistics(layer), eigenvalues);
        }
        int before = map.tokens();
        int bin = map.bin();
        map.grow(end);
        if (before == end - 1 && vectors.row().length > 0) {
            map.add(before, vectors.row(), 0, end);
        } else {
            add(before, end);
        }
        int first = bin == map.bin() ? before / bin : 0;
        return new ChosenHead(
                layer, head, map.bin(), first, map.filled(), map.rows(first, map.filled()), eigenvalues, end);
    }

    private ChosenHead ofAtlas(AttentionStatistics statistics, float[] eigenvalues) {
        AtlasSpec spec = statistics.atlas().orElseThrow().spec;
        int tokens = statistics.tokens();
        int first = atlasBin == spec.bin(tokens) ? statistics.firstChangedRow() : 0;
        AttentionSnapshot atlas = text.backend().snapshot(
                new AttentionSnapshot.Request(List.of(), Optional.of(first), Optional.empty()), statistics,
                text.attentionSpec(layer));
        atlasBin = atlas.bin();
        int columns = spec.rows(tokens);
        float[] rows = new float[(columns - first) * columns];
        for (int row = 0; row < columns - first; row++) {
            System.arraycopy(
                    atlas.cells(), (head * (columns - first) + row) * spec.side(), rows, row * columns, columns);
        }
        return new ChosenHead(
                layer, head, atlasBin, first, columns, rows, eigenvalues, tokens);
    }

    private void add(int first, int end) {
        Backend backend = text.backend();
        int stripe = text.causal() ? STRIPE : end;
        for (int row = first; row < end; row += stripe) {
            int rows = Math.min(stripe, end - row);
            int keys = row + rows;
            Tensor probs = backend.allocate(DType.F32, rows, keys);
            try {
                text.attentionMap(probs, layer, head, row);
                float[] values = backend.download(probs);
                for (int i = 0; i < rows; i++) {
                    map.add(row + i, values, i * keys, keys);
                }
            } finally {
                probs.buffer().close();
            }
        }
    }
}
