package headscope.analysis.watch;

import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Attention maps of all heads of a text, pooled to the atlas, and that of the chosen head, pooled less. */
final class LayerMaps implements AutoCloseable {
    /** Cells on each side of the chosen head's map. */
    private static final int CHOSEN_CELLS = 1024;

    /** Rows of one head that are computed at a time. */
    private static final int STRIPE = 256;

    private final Transformer model;
    private final Backend backend;
    private final Sequence sequence;
    private final int cells;
    private final List<PooledMap> atlas;
    private final List<Tensor> queries = new ArrayList<>();
    private final PooledMap map = new PooledMap(CHOSEN_CELLS);
    private int layer;
    private int head;

    LayerMaps(Transformer model, Sequence sequence, int capacity, int cells) {
        this.model = model;
        this.backend = model.backend();
        this.sequence = sequence;
        this.cells = cells;
        int heads = model.config().heads();
        this.atlas = IntStream.range(0, model.config().layers() * heads).mapToObj(_ -> new PooledMap(cells)).toList();
        for (int i = 0; i < model.config().layers(); i++) {
            queries.add(backend.allocate(DType.F32, capacity, (long) heads * model.config().headDim()));
        }
    }

    int bin() {
        return atlas.getFirst().bin();
    }

    void pick(int chosenLayer, int chosenHead) {
        layer = chosenLayer;
        head = chosenHead;
        map.clear();
    }

    boolean isChosen(int other) {
        return layer == other;
    }

    /** Adds the newest rows of a layer. @return what changed */
    AtlasBlock add(int of, LayerHook.Attention attention) {
        int rows = Math.toIntExact(attention.query().size(0));
        int end = Math.toIntExact(attention.key().size(0));
        backend.convert(queries.get(of).rows(end - rows, rows), attention.query());
        int heads = model.config().heads();
        List<PooledMap> maps = atlas.subList(of * heads, (of + 1) * heads);
        int bin = maps.getFirst().bin();
        for (int i = 0; i < heads; i++) {
            add(maps.get(i), attention.query(), attention.key(), attention.spec(), i);
        }
        int first = bin == maps.getFirst().bin() ? (end - rows) / bin : 0;
        int count = maps.getFirst().filled() - first;
        float[] values = new float[heads * count * cells];
        for (int i = 0; i < heads; i++) {
            System.arraycopy(maps.get(i).rows(first, cells), 0, values, i * count * cells, count * cells);
        }
        return new AtlasBlock(of, first, count, values);
    }

    /** The chosen head's new rows, during its layer's pass. */
    ChosenHead chosen(LayerHook.Attention attention) {
        int end = Math.toIntExact(attention.key().size(0));
        return chosen(queries.get(layer).rows(0, end), attention.key(), attention.spec(), end);
    }

    /** The chosen head's whole map, between passes. */
    ChosenHead chosen() {
        int end = sequence.tokens();
        return chosen(queries.get(layer).rows(0, end), sequence.keys(layer, end), model.attentionSpec(layer), end);
    }

    private ChosenHead chosen(Tensor q, Tensor k, AttentionSpec spec, int end) {
        int before = map.tokens();
        int bin = map.bin();
        add(map, q.rows(before, end - before), k, spec, head);
        int first = bin == map.bin() ? before / bin : 0;
        return new ChosenHead(
                layer, head, map.bin(), first, map.filled(), map.rows(first, map.filled()), eigenvalues(spec, end), end);
    }

    private float[] eigenvalues(AttentionSpec spec, int end) {
        if (!spec.causal()) {
            return new float[0];
        }
        Metric all = new Metric.LaplacianEigenvalues(Metric.ALL);
        return ChosenHead.shown(backend.measure(List.of(all), sequence.statistics(layer), spec).of(all)[head]);
    }

    /** Adds the last rows of a head, a stripe at a time. */
    private void add(PooledMap pooled, Tensor q, Tensor k, AttentionSpec spec, int of) {
        int end = Math.toIntExact(k.size(0));
        int before = end - Math.toIntExact(q.size(0));
        pooled.grow(end);
        for (int row = before; row < end; row += STRIPE) {
            int rows = Math.min(STRIPE, end - row);
            int keys = spec.causal() ? row + rows : end;
            Tensor stripe = backend.allocate(DType.F32, rows, keys);
            try {
                backend.attentionMap(stripe, q.rows(row - before, rows), k.rows(0, keys), spec, of);
                float[] probs = backend.download(stripe);
                for (int i = 0; i < rows; i++) {
                    pooled.add(row + i, probs, i * keys, keys);
                }
            } finally {
                stripe.buffer().close();
            }
        }
    }

    @Override
    public void close() {
        queries.stream().map(Tensor::buffer).forEach(Buffer::close);
    }
}
