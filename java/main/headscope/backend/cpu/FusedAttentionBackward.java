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
 * What attention passes back: a tile of query rows times keys is computed again, made into probabilities by the rows'
 * log-sum-exp, into gradients of scores by those of the output, multiplied with queries, keys and output gradients,
 * and dropped. Extra memory: one tile per worker, and for a long text {@value Stripes#MOST} times the keys and values.
 *
 * <p>Work is cut into (key head, stripe of query rows): a key head's query heads take turns, its stripes are added in
 * order, so that results do not depend on the number of workers, to the bit.
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

    /** The arguments of one call, as {@link headscope.backend.Gradients#attention} documents them. */
    record Call(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor gradient, Tensor out, Tensor logSumExp,
            Tensor q, Tensor k, Tensor v, AttentionSpec spec, Optional<AttentionSaliency> saliency) {
        int queries() {
            return q.intSize(0);
        }

        int keys() {
            return k.intSize(0);
        }

        /** The first query's position: the queries are the last of the keys. */
        int first() {
            return spec.causal() ? keys() - queries() : 0;
        }

        /** Where a head's element 0 of a query row lies. */
        long query(int row, int head) {
            return ((long) row * spec.heads() + head) * spec.headDim();
        }

        int queryStride() {
            return spec.heads() * spec.headDim();
        }

        long key(int key, int kvHead) {
            return ((long) key * spec.kvHeads() + kvHead) * spec.headDim();
        }

        int keyStride() {
            return spec.kvHeads() * spec.headDim();
        }
    }

    /** Where a piece adds gradients of keys and values: element 0 of key 0, and from a key to the next. */
    private record KeySums(MemorySegment k, MemorySegment v, long first, int stride) {
        long at(int key) {
            return first + (long) key * stride;
        }
    }

    synchronized void run(Call call) {
        int kvHeads = call.spec().kvHeads();
        Stripes stripes = Stripes.of(call.queries(), call.spec().causal());
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
            // Long rows first, so that the last pieces to finish are short ones.
            int kvHead = piece % kvHeads;
            int stripe = stripes.count() - 1 - piece / kvHeads;
            KeySums sums = stripes.count() > 1
                    ? stripeSums(call, kvHead, stripe)
                    : new KeySums(call.kGradient().bytes(), call.vGradient().bytes(), call.key(0, kvHead),
                            call.keyStride());
            stripe(call, kvHead, stripes, stripe, sums, columnSums, fold);
        });
        if (stripes.count() > 1) {
            workers.each(kvHeads, kvHead -> addStripes(call, kvHead, stripes.count()));
        }
        fold.ifPresent(SaliencyFold::finish);
    }

    private ColumnSums columnSums(Call call, int stripes) {
        if (call.saliency().isPresent()) {
            columns = scratch.grow(columns, ColumnSums.bytes(call.spec().heads(), stripes, call.keys()));
        }
        return new ColumnSums(columns, stripes, call.keys());
    }

    /** Gradients of keys, then of values, each [stripes, kvHeads, keys, headDim]. */
    private KeySums stripeSums(Call call, int kvHead, int stripe) {
        long all = call.k().count();
        MemorySegment k = stripeSums.asSlice(stripe * all * Float.BYTES);
        MemorySegment v = stripeSums.asSlice((Stripes.MOST + stripe) * all * Float.BYTES);
        return new KeySums(k, v, (long) kvHead * call.keys() * call.spec().headDim(), call.spec().headDim());
    }

    private void addStripes(Call call, int kvHead, int stripes) {
        for (int stripe = 0; stripe < stripes; stripe++) {
            KeySums sums = stripeSums(call, kvHead, stripe);
            for (int key = 0; key < call.keys(); key++) {
                long at = call.key(key, kvHead);
                add(call.kGradient().bytes(), at, sums.k(), sums.at(key), sums.stride(), stripe > 0);
                add(call.vGradient().bytes(), at, sums.v(), sums.at(key), sums.stride(), stripe > 0);
            }
        }
    }

    private static void add(MemorySegment x, long at, MemorySegment y, long from, int count, boolean more) {
        for (int d = 0; d < count; d += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(d, count);
            FloatVector sum = Simd.load(y, from + d, inside);
            Simd.store(more ? Simd.load(x, at + d, inside).add(sum) : sum, x, at + d, inside);
        }
    }

    /** One stripe of all query heads that read a key head. */
    private void stripe(
            Call call, int kvHead, Stripes stripes, int stripe, KeySums sums, ColumnSums columnSums,
            Optional<SaliencyFold> fold) {
        int from = border(stripes, stripe, fold);
        int to = border(stripes, stripe + 1, fold);
        int group = call.spec().heads() / call.spec().kvHeads();
        AttentionTile tile = Optional.ofNullable(tiles.poll()).orElseGet(AttentionTile::new);
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
            MemorySegment columnsOfStripe = fold.isPresent() ? columnSums.cleared(head, stripe) : MemorySegment.NULL;
            for (int row = from; row < to; row += AttentionTile.MOST_ROWS) {
                rows(call, head, row, Math.min(AttentionTile.MOST_ROWS, to - row), tile, sums, fold, columnsOfStripe);
            }
        }
        tiles.add(tile);
    }

    private static int border(Stripes stripes, int stripe, Optional<SaliencyFold> fold) {
        int row = stripes.border(stripe);
        return fold.isPresent() ? fold.get().alignedToCells(row) : row;
    }

    /** Some query rows of a head, over all keys that they see. */
    private void rows(
            Call call, int head, int row, int count, AttentionTile tile, KeySums sums, Optional<SaliencyFold> fold,
            MemorySegment columnsOfStripe) {
        AttentionSpec spec = call.spec();
        MemorySegment gradient = call.gradient().bytes();
        MemorySegment out = call.out().bytes();
        tile.rows(call.first() + row, count);
        for (int r = 0; r < count; r++) {
            tile.dot(r, gradient, out, call.query(row + r, head), spec.headDim());
        }
        int firstKey = spec.firstKey(tile.firstToken);
        int endKey = spec.endKey(tile.firstToken + count - 1, call.keys());
        for (int key = firstKey; key < endKey; key += AttentionTile.MOST_KEYS) {
            tile.keys(scratch, key, Math.min(AttentionTile.MOST_KEYS, endKey - key));
            differentiate(call, head, row, tile);
            passBack(call, head, row, tile, key > firstKey, sums);
            if (fold.isPresent()) {
                fold.get().add(head, tile, columnsOfStripe);
            }
        }
    }

    private static void differentiate(Call call, int head, int row, AttentionTile tile) {
        AttentionSpec spec = call.spec();
        long query = call.query(row, head);
        long key = call.key(tile.firstKey, spec.kvHead(head));
        OpenBlas.timesTransposed(
                tile.rows, tile.width, spec.headDim(), spec.scale(),
                call.q().bytes(), query, call.queryStride(), call.k().bytes(), key, call.keyStride(),
                0, tile.probs, 0, tile.stride);
        OpenBlas.timesTransposed(
                tile.rows, tile.width, spec.headDim(), 1,
                call.gradient().bytes(), query, call.queryStride(), call.v().bytes(), key, call.keyStride(),
                0, tile.gradients, 0, tile.stride);
        MemorySegment sums = call.logSumExp().bytes();
        for (int r = 0; r < tile.rows; r++) {
            int token = tile.firstToken + r;
            int from = Math.clamp(spec.firstKey(token) - tile.firstKey, 0, tile.width);
            int to = Math.clamp(spec.endKey(token, call.keys()) - tile.firstKey, from, tile.width);
            float logSumExp = sums.getAtIndex(JAVA_FLOAT, (long) head * call.queries() + row + r);
            tile.differentiate(r, from, to, logSumExp, spec.softCap());
        }
    }

    /** @param more whether the rows have met other keys before */
    private static void passBack(Call call, int head, int row, AttentionTile tile, boolean more, KeySums sums) {
        AttentionSpec spec = call.spec();
        int headDim = spec.headDim();
        long query = call.query(row, head);
        OpenBlas.times(
                tile.rows, headDim, tile.width, spec.scale(),
                tile.gradients, 0, tile.stride,
                call.k().bytes(), call.key(tile.firstKey, spec.kvHead(head)), call.keyStride(),
                more ? 1 : 0, call.qGradient().bytes(), query, call.queryStride());
        OpenBlas.transposedTimes(
                tile.width, headDim, tile.rows, spec.scale(),
                tile.gradients, 0, tile.stride, call.q().bytes(), query, call.queryStride(),
                1, sums.k(), sums.at(tile.firstKey), sums.stride());
        OpenBlas.transposedTimes(
                tile.width, headDim, tile.rows, 1,
                tile.probs, 0, tile.stride, call.gradient().bytes(), query, call.queryStride(),
                1, sums.v(), sums.at(tile.firstKey), sums.stride());
    }

    @Override
    public void close() {
        scratch.close();
    }
}
