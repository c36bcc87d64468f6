package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionAtlas;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Packing;
import headscope.backend.TextRows;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * Attention and its statistics, block by block: computes the scores of a block of query rows, normalises them in cache,
 * adds the probabilities to the column sums and to the atlas, and multiplies them with the values. Temporary memory is one block per
 * worker, and {@value Stripes#MAX} * tokens doubles per head for the column sums.
 *
 * <p>The unit of work is a text, a head and a stripe of query rows. Column sums of stripes are added in order, and a text's
 * arithmetic depends on this text only, so results have the same bits for any number of workers and in any batch.
 */
final class FusedAttention implements AutoCloseable {
    private final Workers workers;
    private final Scratch scratch = new Scratch();
    private final ConcurrentLinkedQueue<AttentionBlock> blocks = new ConcurrentLinkedQueue<>();
    private MemorySegment columns = MemorySegment.NULL;
    private MemorySegment borders = MemorySegment.NULL;

    FusedAttention(Workers workers) {
        this.workers = workers;
    }

    /** Arguments of one call; see {@link headscope.backend.Backend#attention}. */
    record Call(
            AttentionSpec spec, Packing packing, Tensor q, Tensor k, Optional<Tensor> v, Optional<Tensor> out,
            Optional<AttentionStatistics> statistics, Optional<Tensor> logSumExp) {}

    /** One text of a call; absent tensors are NULL. */
    private record Text(
            AttentionLayout layout, MemorySegment q, MemorySegment k, MemorySegment v, MemorySegment out,
            MemorySegment logSumExp, Optional<TextStatistics> statistics) {
        static Text of(Call call, int index, Optional<TextStatistics> statistics) {
            return new Text(
                    AttentionLayout.of(call.spec(), call.packing(), index), call.q().bytes(), call.k().bytes(),
                    bytes(call.v()), bytes(call.out()), bytes(call.logSumExp()), statistics);
        }

        private static MemorySegment bytes(Optional<Tensor> tensor) {
            return tensor.map(Tensor::bytes).orElse(MemorySegment.NULL);
        }
    }

    void run(Call call) {
        int heads = call.spec().heads();
        AttentionPieces pieces = new AttentionPieces(call.packing(), call.spec().causal());
        List<Optional<TextStatistics>> statistics = statistics(call, pieces);
        List<Text> texts = new ArrayList<>();
        for (int index = 0; index < call.packing().count(); index++) {
            texts.add(Text.of(call, index, statistics.get(index)));
        }
        pieces.each(workers, heads, (index, head, stripe) -> {
            stripe(texts.get(index), head, stripe, pieces.stripes(index));
            if (pieces.isWhole(index)) {
                statistics.get(index).ifPresent(text -> text.finish(head));
            }
        });
        if (call.statistics().isPresent()) {
            pieces.eachDivided(workers, heads, (index, head) -> statistics.get(index).orElseThrow().finish(head));
            call.statistics().get().grow(call.packing());
        }
    }

    private List<Optional<TextStatistics>> statistics(Call call, AttentionPieces pieces) {
        int texts = call.packing().count();
        List<Optional<TextStatistics>> all = new ArrayList<>();
        if (call.statistics().isEmpty()) {
            for (int index = 0; index < texts; index++) {
                all.add(Optional.empty());
            }
            return all;
        }
        AttentionStatistics statistics = call.statistics().get();
        long[] firstColumn = new long[texts + 1];
        long[] firstBorder = new long[texts + 1];
        for (int index = 0; index < texts; index++) {
            Packing.Text text = call.packing().text(index);
            Stripes stripes = pieces.stripes(index);
            firstColumn[index + 1] = firstColumn[index]
                    + (text.queries() == 1 ? 0 : ColumnSums.bytes(call.spec().heads(), stripes.count(), text.keys()));
            firstBorder[index + 1] = firstBorder[index] + statistics.atlas()
                    .map(atlas -> AtlasCells.borderBytes(atlas.spec, call.spec().heads(), stripes))
                    .orElse(0L);
        }
        columns = scratch.grow(columns, firstColumn[texts]);
        borders = scratch.grow(borders, firstBorder[texts]);
        for (int index = 0; index < texts; index++) {
            AttentionStatistics ofText = new TextRows(call.packing(), index).statistics(statistics);
            Stripes stripes = pieces.stripes(index);
            AttentionLayout layout = AttentionLayout.of(call.spec(), call.packing(), index);
            ColumnSums sums = new ColumnSums(part(columns, firstColumn, index), stripes.count(), layout.keys());
            Optional<AtlasCells> cells = Optional.empty();
            if (ofText.atlas().isPresent()) {
                AttentionAtlas atlas = ofText.atlas().get();
                cells = Optional.of(new AtlasCells(atlas, stripes, ofText.tokens(), part(borders, firstBorder, index)));
            }
            all.add(Optional.of(new TextStatistics(ofText, layout, sums, cells)));
        }
        return all;
    }

    private static MemorySegment part(MemorySegment memory, long[] first, int index) {
        return memory.asSlice(first[index], first[index + 1] - first[index]);
    }

    /** Writes the probabilities of one head of one text to destination [queries, keys]. */
    void map(Tensor destination, Tensor q, Tensor k, AttentionSpec spec, int head) {
        AttentionLayout layout = AttentionLayout.of(spec, Packing.of(q.intSize(0), k.intSize(0)), 0);
        MemorySegment map = destination.bytes().fill((byte) 0);
        Text text = new Text(
                layout, q.bytes(), k.bytes(), MemorySegment.NULL, MemorySegment.NULL, MemorySegment.NULL, Optional.empty());
        eachBlock(text, head, 0, layout.queries(), block -> block.eachRow((token, row) -> {
            long query = token - layout.firstToken();
            MemorySegment.copy(block.scores, row * Float.BYTES, map,
                    (query * layout.keys() + block.firstKey) * Float.BYTES, (long) block.width() * Float.BYTES);
        }));
    }

    private void stripe(Text text, int head, int stripe, Stripes stripes) {
        AttentionLayout layout = text.layout();
        int kvHead = layout.spec().kvHead(head);
        boolean observed = text.statistics().isPresent();
        MemorySegment sums = observed ? text.statistics().get().columns(head, stripe) : MemorySegment.NULL;
        eachBlock(text, head, stripes.border(stripe), stripes.border(stripe + 1), block -> {
            if (observed) {
                text.statistics().get().add(head, stripe, sums, block);
            }
            if (!text.out().equals(MemorySegment.NULL)) {
                block.multiply(layout.spec(), layout.keyRows(text.v(), block.firstKey, kvHead),
                        layout.queryRows(text.out(), block.firstToken - layout.firstToken(), head));
            }
        });
    }

    /** Computes the probabilities of query rows from to to - 1 of one head, block by block. */
    private void eachBlock(Text text, int head, int from, int to, Consumer<AttentionBlock> use) {
        AttentionLayout layout = text.layout();
        AttentionBlock polled = blocks.poll();
        AttentionBlock block = polled == null ? new AttentionBlock(scratch) : polled;
        for (int row = from; row < to; row += block.rows) {
            block.shape(layout, row, to);
            block.score(layout.spec(), layout.queryRows(text.q(), row, head),
                    layout.keyRows(text.k(), block.firstKey, layout.spec().kvHead(head)));
            normalise(text, head, block);
            use.accept(block);
        }
        blocks.add(block);
    }

    private static void normalise(Text text, int head, AttentionBlock block) {
        AttentionLayout layout = text.layout();
        AttentionSpec spec = layout.spec();
        float sink = spec.sinks().isPresent()
                ? spec.sinks().get().bytes().getAtIndex(JAVA_FLOAT, head)
                : Float.NEGATIVE_INFINITY;
        SoftmaxRow row = block.row;
        boolean observed = text.statistics().isPresent();
        boolean differentiated = !text.logSumExp().equals(MemorySegment.NULL);
        for (int r = 0; r < block.rows; r++) {
            int token = block.firstToken + r;
            int from = spec.firstKey(token) - block.firstKey;
            int to = spec.endKey(token, layout.keys()) - block.firstKey;
            row.softmax(block.scores, (long) r * block.stride, from, to, block.width(), spec.softCap(), sink,
                    token - block.firstKey);
            if (observed) {
                text.statistics().get().store(head, token, row);
            }
            if (differentiated) {
                text.logSumExp().setAtIndex(
                        JAVA_FLOAT, layout.rowIndex(head, token - layout.firstToken()), row.logSumExp);
            }
        }
    }

    /** Bytes of temporary memory, which is kept until {@link #close}. */
    long scratchBytes() {
        return scratch.bytes();
    }

    @Override
    public void close() {
        scratch.close();
    }
}
