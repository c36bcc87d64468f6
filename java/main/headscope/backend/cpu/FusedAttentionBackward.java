package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Backward pass of attention, tile by tile: recomputes the scores of a tile of queries and keys, turns them into
 * probabilities with the rows' log-sum-exp, computes the gradients of scores from those of the output, and multiplies
 * these with queries, keys and output gradients. Temporary memory is one tile per worker, and for long texts {@value
 * Stripes#MAX} times the size of keys and values.
 *
 * <p>The unit of work is a key head and a stripe of query rows. The query heads of a key head are processed in order
 * and its stripes are added in order, so results have the same bits for any number of workers.
 */
final class FusedAttentionBackward implements AutoCloseable {
    private final Workers workers;
    private final Scratch scratch = new Scratch();
    private final ConcurrentLinkedQueue<AttentionTile> tiles = new ConcurrentLinkedQueue<>();
    private MemorySegment stripeSums = MemorySegment.NULL;
    private MemorySegment columns = MemorySegment.NULL;
    private MemorySegment membership = MemorySegment.NULL;

    FusedAttentionBackward(Workers workers) {
        this.workers = workers;
    }

    /** Arguments of one call; see {@link headscope.backend.Gradients#attention}. */
    record Call(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor gradient, Tensor out, Tensor logSumExp,
            Tensor q, Tensor k, Tensor v, AttentionSpec spec, Optional<AttentionSaliency> saliency) {
        AttentionLayout layout() {
            return AttentionLayout.of(spec, q, k);
        }
    }

    /** Destinations to which a piece of work adds gradients of keys and values, [keys, headDim] each. */
    private record KeySums(Matrix k, Matrix v) {}

    /** The matrix without the rows before this one. */
    private static Matrix from(Matrix matrix, int row) {
        return new Matrix(matrix.memory(), matrix.offset() + (long) row * matrix.stride(), matrix.stride());
    }

    synchronized void run(Call call) {
        int kvHeads = call.spec().kvHeads();
        Stripes stripes = Stripes.of(call.layout().queries(), call.spec().causal());
        ColumnSums columnSums = columnSums(call, stripes.count());
        Optional<SaliencyFold> fold = call.saliency().map(saliency -> {
            membership = scratch.grow(membership, SaliencyFold.membershipBytes(saliency));
            return new SaliencyFold(saliency, columnSums, membership);
        });
        if (stripes.count() > 1) {
            stripeSums = scratch.grow(stripeSums, 2 * stripes.count() * call.k().count() * Float.BYTES).fill((byte) 0);
        } else {
            call.kGradient().bytes().fill((byte) 0);
            call.vGradient().bytes().fill((byte) 0);
        }
        workers.each(kvHeads * stripes.count(), piece -> {
            // Longest rows first, so that the pieces that finish last are short.
            int kvHead = piece % kvHeads;
            int stripe = stripes.count() - 1 - piece / kvHeads;
            KeySums sums = stripes.count() > 1
                    ? stripeSums(call, kvHead, stripe)
                    : new KeySums(call.layout().keyRows(call.kGradient(), 0, kvHead),
                            call.layout().keyRows(call.vGradient(), 0, kvHead));
            stripe(call, kvHead, stripes, stripe, sums, columnSums, fold);
        });
        if (stripes.count() > 1) {
            workers.each(kvHeads, kvHead -> addStripes(call, kvHead, stripes.count()));
        }
        fold.ifPresent(SaliencyFold::finish);
    }

    private ColumnSums columnSums(Call call, int stripes) {
        if (call.saliency().isPresent()) {
            columns = scratch.grow(columns, ColumnSums.bytes(call.spec().heads(), stripes, call.layout().keys()));
        }
        return new ColumnSums(columns, stripes, call.layout().keys());
    }

    /** stripeSums is [2, Stripes.MAX, kvHeads, keys, headDim]: gradients of keys, then of values. */
    private KeySums stripeSums(Call call, int kvHead, int stripe) {
        long all = call.k().count();
        int headDim = call.spec().headDim();
        long first = (long) kvHead * call.layout().keys() * headDim;
        return new KeySums(
                new Matrix(stripeSums, stripe * all + first, headDim),
                new Matrix(stripeSums, (Stripes.MAX + stripe) * all + first, headDim));
    }

    private void addStripes(Call call, int kvHead, int stripes) {
        for (int stripe = 0; stripe < stripes; stripe++) {
            KeySums sums = stripeSums(call, kvHead, stripe);
            Matrix kGradient = call.layout().keyRows(call.kGradient(), 0, kvHead);
            Matrix vGradient = call.layout().keyRows(call.vGradient(), 0, kvHead);
            for (int key = 0; key < call.layout().keys(); key++) {
                add(from(kGradient, key), from(sums.k(), key), call.spec().headDim(), stripe > 0);
                add(from(vGradient, key), from(sums.v(), key), call.spec().headDim(), stripe > 0);
            }
        }
    }

    /** First row of x [count] += first row of y, or = if nothing has been added yet. */
    private static void add(Matrix x, Matrix y, int count, boolean accumulate) {
        for (int d = 0; d < count; d += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(d, count);
            FloatVector sum = Simd.load(y.memory(), y.offset() + d, inside);
            Simd.store(accumulate ? Simd.load(x.memory(), x.offset() + d, inside).add(sum) : sum,
                    x.memory(), x.offset() + d, inside);
        }
    }

    /** One stripe of all query heads of a key head. */
    private void stripe(
            Call call, int kvHead, Stripes stripes, int stripe, KeySums sums, ColumnSums columnSums,
            Optional<SaliencyFold> fold) {
        int from = border(stripes, stripe, fold);
        int to = border(stripes, stripe + 1, fold);
        int group = call.spec().heads() / call.spec().kvHeads();
        AttentionTile tile = Optional.ofNullable(tiles.poll()).orElseGet(AttentionTile::new);
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
            MemorySegment columnsOfStripe = fold.isPresent() ? columnSums.cleared(head, stripe) : MemorySegment.NULL;
            for (int row = from; row < to; row += AttentionTile.MAX_ROWS) {
                rows(call, head, row, Math.min(AttentionTile.MAX_ROWS, to - row), tile, sums, fold, columnsOfStripe);
            }
        }
        tiles.add(tile);
    }

    private static int border(Stripes stripes, int stripe, Optional<SaliencyFold> fold) {
        int row = stripes.border(stripe);
        return fold.isPresent() ? fold.get().alignedToCells(row) : row;
    }

    /** Query rows row to row + count - 1 of a head, over all visible keys. */
    private void rows(
            Call call, int head, int row, int count, AttentionTile tile, KeySums sums, Optional<SaliencyFold> fold,
            MemorySegment columnsOfStripe) {
        AttentionSpec spec = call.spec();
        Matrix gradient = call.layout().queryRows(call.gradient(), row, head);
        Matrix out = call.layout().queryRows(call.out(), row, head);
        tile.rows(call.layout().firstToken() + row, count);
        for (int r = 0; r < count; r++) {
            tile.dot(r, gradient.memory(), out.memory(), gradient.offset() + (long) r * gradient.stride(), spec.headDim());
        }
        int firstKey = spec.firstKey(tile.firstToken);
        int endKey = spec.endKey(tile.firstToken + count - 1, call.layout().keys());
        for (int key = firstKey; key < endKey; key += AttentionTile.MAX_KEYS) {
            tile.keys(scratch, key, Math.min(AttentionTile.MAX_KEYS, endKey - key));
            differentiate(call, head, row, tile);
            accumulateGradients(call, head, row, tile, key > firstKey, sums);
            if (fold.isPresent()) {
                fold.get().add(head, tile, columnsOfStripe);
            }
        }
    }

    private static void differentiate(Call call, int head, int row, AttentionTile tile) {
        AttentionSpec spec = call.spec();
        AttentionLayout layout = call.layout();
        int kvHead = spec.kvHead(head);
        OpenBlas.multiply(
                tile.rows, tile.width, spec.headDim(), spec.scale(), layout.queryRows(call.q(), row, head),
                layout.keyRows(call.k(), tile.firstKey, kvHead).transpose(), 0, tile.matrix(tile.probs));
        OpenBlas.multiply(
                tile.rows, tile.width, spec.headDim(), 1, layout.queryRows(call.gradient(), row, head),
                layout.keyRows(call.v(), tile.firstKey, kvHead).transpose(), 0, tile.matrix(tile.gradients));
        MemorySegment sums = call.logSumExp().bytes();
        for (int r = 0; r < tile.rows; r++) {
            int token = tile.firstToken + r;
            int from = Math.clamp(spec.firstKey(token) - tile.firstKey, 0, tile.width);
            int to = Math.clamp(spec.endKey(token, call.layout().keys()) - tile.firstKey, from, tile.width);
            float logSumExp = sums.getAtIndex(JAVA_FLOAT, (long) head * call.layout().queries() + row + r);
            tile.differentiate(r, from, to, logSumExp, spec.softCap());
        }
    }

    /** @param accumulate whether query gradients already contain the terms of earlier keys */
    private static void accumulateGradients(Call call, int head, int row, AttentionTile tile, boolean accumulate, KeySums sums) {
        AttentionSpec spec = call.spec();
        int headDim = spec.headDim();
        AttentionLayout layout = call.layout();
        Matrix scoreGradients = tile.matrix(tile.gradients);
        OpenBlas.multiply(
                tile.rows, headDim, tile.width, spec.scale(), scoreGradients,
                layout.keyRows(call.k(), tile.firstKey, spec.kvHead(head)),
                accumulate ? 1 : 0, layout.queryRows(call.qGradient(), row, head));
        OpenBlas.multiply(
                tile.width, headDim, tile.rows, spec.scale(), scoreGradients.transpose(),
                layout.queryRows(call.q(), row, head), 1, from(sums.k(), tile.firstKey));
        OpenBlas.multiply(
                tile.width, headDim, tile.rows, 1, tile.matrix(tile.probs).transpose(),
                layout.queryRows(call.gradient(), row, head), 1, from(sums.v(), tile.firstKey));
    }

    @Override
    public void close() {
        scratch.close();
    }
}
