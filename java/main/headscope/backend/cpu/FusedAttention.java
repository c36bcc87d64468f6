package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionAtlas;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * Attention and its statistics, block by block: computes the scores of a block of query rows, normalises them in cache,
 * adds the probabilities to the column sums and to the atlas, and multiplies them with the values. Temporary memory is one block per
 * worker, and {@value Stripes#MAX} * tokens doubles per head for the column sums.
 *
 * <p>The unit of work is a head and a stripe of query rows. Column sums of stripes are added in order, so results have
 * the same bits for any number of workers.
 */
final class FusedAttention implements AutoCloseable {
    /** Floats in a block of scores: 512 KiB, which fit into a core's second-level cache. */
    private static final int BLOCK_FLOATS = 128 * 1024;
    private static final int MAX_ROWS = 64;
    private static final int MIN_ROWS = 16;

    private final Workers workers;
    private final Scratch scratch = new Scratch();
    private final ConcurrentLinkedQueue<Block> blocks = new ConcurrentLinkedQueue<>();
    private MemorySegment columns = MemorySegment.NULL;
    private MemorySegment borders = MemorySegment.NULL;

    FusedAttention(Workers workers) {
        this.workers = workers;
    }

    /** Arguments of one call; see {@link headscope.backend.Backend#attention}. */
    record Call(
            AttentionSpec spec, Tensor q, Tensor k, Optional<Tensor> v, Optional<Tensor> out,
            Optional<AttentionStatistics> statistics, Optional<Tensor> logSumExp) {
        AttentionLayout layout() {
            return AttentionLayout.of(spec, q, k);
        }

        int queries() {
            return q.intSize(0);
        }

        int keys() {
            return k.intSize(0);
        }

        int firstToken() {
            return layout().firstToken();
        }
    }

    void run(Call call) {
        int heads = call.spec().heads();
        Stripes stripes = Stripes.of(call.queries(), call.spec().causal());
        boolean single = call.queries() == 1;
        ColumnSums sums = new ColumnSums(
                call.statistics().isPresent() && !single
                        ? columns(heads, stripes.count(), call.keys()) : MemorySegment.NULL,
                stripes.count(), call.keys());
        Optional<AtlasCells> cells = call.statistics().flatMap(statistics -> statistics.atlas()
                .map(atlas -> cells(atlas, stripes, statistics.tokens())));
        workers.each(heads * stripes.count(), piece -> {
            // Longest rows first, so that the pieces that finish last are short.
            int head = piece % heads;
            int stripe = stripes.count() - 1 - piece / heads;
            MemorySegment own = call.statistics()
                    .map(statistics -> single ? totals(statistics, head) : sums.cleared(head, stripe))
                    .orElse(MemorySegment.NULL);
            stripe(call, head, stripes.border(stripe), stripes.border(stripe + 1), block -> {
                call.statistics().ifPresent(statistics -> {
                    ColumnSums.add(own, block.firstKey, block.scores, block.rows, block.stride, block.width());
                    if (single) {
                        keepRow(call, statistics, head, block);
                    }
                });
                cells.ifPresent(atlas -> block.eachRow((token, row) ->
                        atlas.add(head, stripe, token, block.scores, row, block.firstKey, block.endKey)));
            });
        });
        call.statistics().ifPresent(statistics -> {
            workers.each(heads, head -> {
                if (!single) {
                    addColumnSums(call, statistics, head, sums);
                }
                HeadFold.addRows(statistics, call.spec(), head, call.queries());
            });
            cells.ifPresent(AtlasCells::finish);
            statistics.grow(call.queries());
        });
    }

    /** Writes the probabilities of one head to the call's out [queries, keys]. */
    void map(Call call, int head) {
        MemorySegment map = call.out().orElseThrow().bytes().fill((byte) 0);
        eachBlock(call, head, 0, call.queries(), block -> block.eachRow((token, row) -> {
            long query = token - call.firstToken();
            MemorySegment.copy(block.scores, row * Float.BYTES, map,
                    (query * call.keys() + block.firstKey) * Float.BYTES, (long) block.width() * Float.BYTES);
        }));
    }

    private synchronized MemorySegment columns(int heads, int stripes, int keys) {
        columns = scratch.grow(columns, ColumnSums.bytes(heads, stripes, keys));
        return columns;
    }

    private synchronized AtlasCells cells(AttentionAtlas atlas, Stripes stripes, int tokens) {
        borders = scratch.grow(borders, AtlasCells.borderBytes(atlas, stripes));
        return new AtlasCells(atlas, stripes, tokens, borders);
    }

    /** A head's column sums, to which a single query adds its row. */
    private static MemorySegment totals(AttentionStatistics statistics, int head) {
        MemorySegment totals = statistics.columnSum.rows(head, 1).bytes();
        totals.setAtIndex(JAVA_DOUBLE, statistics.tokens(), 0);
        return totals;
    }

    /** Copies the probabilities of a single query. */
    private static void keepRow(Call call, AttentionStatistics statistics, int head, Block block) {
        MemorySegment row = statistics.row.rows(head, 1).bytes();
        row.asSlice(0, (long) call.keys() * Float.BYTES).fill((byte) 0);
        MemorySegment.copy(block.scores, 0, row, (long) block.firstKey * Float.BYTES, (long) block.width() * Float.BYTES);
    }

    private static void addColumnSums(Call call, AttentionStatistics statistics, int head, ColumnSums sums) {
        MemorySegment total = statistics.columnSum.bytes();
        long base = (long) head * statistics.capacity();
        int tokens = statistics.tokens();
        for (int key = 0; key < call.keys(); key++) {
            double before = key < tokens ? total.getAtIndex(JAVA_DOUBLE, base + key) : 0;
            total.setAtIndex(JAVA_DOUBLE, base + key, sums.sum(before, head, key));
        }
    }

    /** Output of query rows from to to - 1 of one head; observe receives their probabilities. */
    private void stripe(Call call, int head, int from, int to, Consumer<Block> observe) {
        AttentionSpec spec = call.spec();
        AttentionLayout layout = call.layout();
        eachBlock(call, head, from, to, block -> {
            observe.accept(block);
            if (call.out().isPresent()) {
                OpenBlas.multiply(
                        block.rows, spec.headDim(), block.width(), 1, block.matrix(),
                        layout.keyRows(call.v().orElseThrow(), block.firstKey, spec.kvHead(head)),
                        0, layout.queryRows(call.out().get(), block.firstToken - call.firstToken(), head));
            }
        });
    }

    /** Computes the probabilities of query rows from to to - 1 of one head, block by block. */
    private void eachBlock(Call call, int head, int from, int to, Consumer<Block> use) {
        AttentionSpec spec = call.spec();
        AttentionLayout layout = call.layout();
        Block block = Optional.ofNullable(blocks.poll()).orElseGet(Block::new);
        for (int row = from; row < to; row += block.rows) {
            int token = call.firstToken() + row;
            int firstKey = spec.firstKey(token);
            int widest = spec.endKey(token + Math.min(to - row, MAX_ROWS) - 1, call.keys()) - firstKey;
            int rows = Math.min(to - row, Math.clamp(BLOCK_FLOATS / widest, MIN_ROWS, MAX_ROWS));
            block.shape(scratch, token, rows, firstKey, spec.endKey(token + rows - 1, call.keys()));
            OpenBlas.multiply(
                    rows, block.width(), spec.headDim(), spec.scale(), layout.queryRows(call.q(), row, head),
                    layout.keyRows(call.k(), firstKey, spec.kvHead(head)).transpose(), 0, block.matrix());
            normalise(call, head, block);
            use.accept(block);
        }
        blocks.add(block);
    }

    private static void normalise(Call call, int head, Block block) {
        AttentionSpec spec = call.spec();
        float sink = spec.sinks()
                .map(sinks -> sinks.bytes().getAtIndex(JAVA_FLOAT, head))
                .orElse(Float.NEGATIVE_INFINITY);
        MemorySegment logSumExp = call.logSumExp().map(Tensor::bytes).orElse(MemorySegment.NULL);
        for (int r = 0; r < block.rows; r++) {
            int token = block.firstToken + r;
            int from = spec.firstKey(token) - block.firstKey;
            int to = spec.endKey(token, call.keys()) - block.firstKey;
            SoftmaxRow row = block.row;
            row.softmax(block.scores, (long) r * block.stride, from, to, block.width(), spec.softCap(), sink,
                    token - block.firstKey);
            if (call.statistics().isPresent()) {
                store(call.statistics().get(), head, token, row);
            }
            if (call.logSumExp().isPresent()) {
                logSumExp.setAtIndex(JAVA_FLOAT, (long) head * call.queries() + token - call.firstToken(), row.logSumExp);
            }
        }
    }

    private static void store(AttentionStatistics statistics, int head, int token, SoftmaxRow row) {
        long at = (long) head * statistics.capacity() + token;
        statistics.logSumExp.bytes().setAtIndex(JAVA_FLOAT, at, row.logSumExp);
        statistics.logDiagonal.bytes().setAtIndex(JAVA_FLOAT, at, row.logDiagonal);
        statistics.entropy.bytes().setAtIndex(JAVA_FLOAT, at, row.entropy);
        statistics.maximum.bytes().setAtIndex(JAVA_FLOAT, at, row.maximum);
        statistics.previous.bytes().setAtIndex(JAVA_FLOAT, at, row.previous);
        statistics.distance.bytes().setAtIndex(JAVA_FLOAT, at, row.distance);
    }

    /** Bytes of temporary memory, which is kept until {@link #close}. */
    long scratchBytes() {
        return scratch.bytes();
    }

    @Override
    public void close() {
        scratch.close();
    }

    private interface RowUse {
        void row(int token, long index);
    }

    /** Scores, then probabilities [rows, stride], of consecutive query rows and keys firstKey to endKey - 1. */
    private static final class Block {
        final SoftmaxRow row = new SoftmaxRow();
        MemorySegment scores = MemorySegment.NULL;
        int firstToken;
        int rows;
        int firstKey;
        int endKey;
        int stride;

        int width() {
            return endKey - firstKey;
        }

        /** Passes on each row's token and the index of its first element. */
        void eachRow(RowUse use) {
            for (int r = 0; r < rows; r++) {
                use.row(firstToken + r, (long) r * stride);
            }
        }

        Matrix matrix() {
            return new Matrix(scores, 0, stride);
        }

        void shape(Scratch scratch, int firstToken, int rows, int firstKey, int endKey) {
            this.firstToken = firstToken;
            this.rows = rows;
            this.firstKey = firstKey;
            this.endKey = endKey;
            // Strides that are multiples of a power of two would map equal columns of all rows to one cache set.
            this.stride = Simd.roundUp(endKey - firstKey) + Simd.WIDTH;
            this.scores = scratch.grow(scores, (long) rows * stride * Float.BYTES);
        }
    }
}
