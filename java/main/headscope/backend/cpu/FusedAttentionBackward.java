package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Packing;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
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
 * <p>The unit of work is a text, a key head and a stripe of query rows. The query heads of a key head are processed in
 * order, its stripes are added in order, and a text's arithmetic depends on this text only, so results have the same bits
 * for any number of workers and in any batch.
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
            Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            List<Optional<AttentionSaliency>> saliency) {}

    /** The memory of a call's tensors. */
    private record Memory(
            MemorySegment qGradient, MemorySegment kGradient, MemorySegment vGradient, MemorySegment gradient,
            MemorySegment out, MemorySegment logSumExp, MemorySegment q, MemorySegment k, MemorySegment v) {
        static Memory of(Call call) {
            return new Memory(
                    call.qGradient().bytes(), call.kGradient().bytes(), call.vGradient().bytes(),
                    call.gradient().bytes(), call.out().bytes(), call.logSumExp().bytes(), call.q().bytes(),
                    call.k().bytes(), call.v().bytes());
        }
    }

    /** Destinations to which a piece of work adds gradients of keys and values, [keys, headDim] each. */
    private record KeySums(Matrix k, Matrix v) {}

    /**
     * One text of a call.
     *
     * @param sums index in stripeSums of its gradients of keys and values, [2, stripes, kvHeads, keys, headDim]
     */
    private record Text(
            AttentionLayout layout, Memory memory, Stripes stripes, long sums, Optional<SaliencyFold> fold,
            ColumnSums columns) {
        /** First row of a stripe. */
        int border(int stripe) {
            int row = stripes.border(stripe);
            return fold.isPresent() ? fold.get().alignedToCells(row) : row;
        }
    }

    void run(Call call) {
        int kvHeads = call.spec().kvHeads();
        int group = call.spec().heads() / kvHeads;
        AttentionPieces pieces = new AttentionPieces(call.packing(), call.spec().causal());
        List<Text> texts = texts(call, pieces);
        call.kGradient().bytes().fill((byte) 0);
        call.vGradient().bytes().fill((byte) 0);
        pieces.each(workers, kvHeads, (index, kvHead, stripe) -> {
            Text text = texts.get(index);
            stripe(text, kvHead, stripe, sums(text, kvHead, stripe));
            if (pieces.isWhole(index)) {
                finishSaliency(text, kvHead * group, group);
            }
        });
        pieces.eachDivided(workers, kvHeads, (index, kvHead) -> {
            addStripes(texts.get(index), kvHead);
            finishSaliency(texts.get(index), kvHead * group, group);
        });
    }

    private static void finishSaliency(Text text, int firstHead, int heads) {
        if (text.fold().isPresent()) {
            for (int head = firstHead; head < firstHead + heads; head++) {
                text.fold().get().finish(head);
            }
        }
    }

    private List<Text> texts(Call call, AttentionPieces pieces) {
        int count = call.packing().count();
        AttentionSpec spec = call.spec();
        long[] firstSum = new long[count + 1];
        long[] firstColumn = new long[count + 1];
        long[] firstMember = new long[count + 1];
        for (int index = 0; index < count; index++) {
            int keys = call.packing().text(index).keys();
            int stripes = pieces.stripes(index).count();
            Optional<AttentionSaliency> saliency = call.saliency().get(index);
            firstSum[index + 1] = firstSum[index] + (stripes == 1 ? 0 : 2L * stripes * keys * spec.kvHeads() * spec.headDim());
            firstColumn[index + 1] =
                    firstColumn[index] + (saliency.isEmpty() ? 0 : ColumnSums.bytes(spec.heads(), stripes, keys));
            firstMember[index + 1] = firstMember[index] + saliency.map(SaliencyFold::membershipBytes).orElse(0L);
        }
        stripeSums = scratch.grow(stripeSums, firstSum[count] * Float.BYTES);
        stripeSums.asSlice(0, firstSum[count] * Float.BYTES).fill((byte) 0);
        columns = scratch.grow(columns, firstColumn[count]);
        membership = scratch.grow(membership, firstMember[count]);
        Memory memory = Memory.of(call);
        List<Text> texts = new ArrayList<>();
        for (int index = 0; index < count; index++) {
            AttentionLayout layout = AttentionLayout.of(spec, call.packing(), index);
            ColumnSums sums = new ColumnSums(
                    part(columns, firstColumn, index), pieces.stripes(index).count(), layout.keys());
            MemorySegment members = part(membership, firstMember, index);
            texts.add(new Text(layout, memory, pieces.stripes(index), firstSum[index],
                    call.saliency().get(index).map(saliency -> new SaliencyFold(saliency, sums, members)), sums));
        }
        return texts;
    }

    private static MemorySegment part(MemorySegment memory, long[] first, int index) {
        return memory.asSlice(first[index], first[index + 1] - first[index]);
    }

    /** The gradients themselves if the text has one stripe. */
    private KeySums sums(Text text, int kvHead, int stripe) {
        AttentionLayout layout = text.layout();
        int stripes = text.stripes().count();
        if (stripes == 1) {
            return gradients(text, kvHead);
        }
        int headDim = layout.spec().headDim();
        long head = (long) layout.keys() * headDim;
        long all = layout.spec().kvHeads() * head;
        return new KeySums(
                new Matrix(stripeSums, text.sums() + stripe * all + kvHead * head, headDim),
                new Matrix(stripeSums, text.sums() + (stripes + stripe) * all + kvHead * head, headDim));
    }

    private static KeySums gradients(Text text, int kvHead) {
        return new KeySums(
                text.layout().keyRows(text.memory().kGradient(), 0, kvHead),
                text.layout().keyRows(text.memory().vGradient(), 0, kvHead));
    }

    private void addStripes(Text text, int kvHead) {
        KeySums gradients = gradients(text, kvHead);
        int headDim = text.layout().spec().headDim();
        for (int stripe = 0; stripe < text.stripes().count(); stripe++) {
            KeySums sums = sums(text, kvHead, stripe);
            for (int key = 0; key < text.layout().keys(); key++) {
                add(gradients.k().fromRow(key), sums.k().fromRow(key), headDim, stripe > 0);
                add(gradients.v().fromRow(key), sums.v().fromRow(key), headDim, stripe > 0);
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
    private void stripe(Text text, int kvHead, int stripe, KeySums sums) {
        int from = text.border(stripe);
        int to = text.border(stripe + 1);
        AttentionSpec spec = text.layout().spec();
        int group = spec.heads() / spec.kvHeads();
        AttentionTile polled = tiles.poll();
        AttentionTile tile = polled == null ? new AttentionTile(scratch) : polled;
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
            MemorySegment columnsOfStripe =
                    text.fold().isPresent() ? text.columns().cleared(head, stripe) : MemorySegment.NULL;
            for (int row = from; row < to; row += AttentionTile.MAX_ROWS) {
                rows(text, head, row, Math.min(AttentionTile.MAX_ROWS, to - row), tile, sums, columnsOfStripe);
            }
        }
        tiles.add(tile);
    }

    /** Query rows row to row + count - 1 of a head, over all visible keys. */
    private static void rows(
            Text text, int head, int row, int count, AttentionTile tile, KeySums sums, MemorySegment columnsOfStripe) {
        AttentionLayout layout = text.layout();
        AttentionSpec spec = layout.spec();
        Matrix gradient = layout.queryRows(text.memory().gradient(), row, head);
        Matrix out = layout.queryRows(text.memory().out(), row, head);
        Matrix q = layout.queryRows(text.memory().q(), row, head);
        Matrix qGradient = layout.queryRows(text.memory().qGradient(), row, head);
        tile.rows(layout.firstToken() + row, count);
        for (int r = 0; r < count; r++) {
            tile.dot(r, gradient.memory(), out.memory(), gradient.fromRow(r).offset(), spec.headDim());
        }
        int firstKey = spec.firstKey(tile.firstToken);
        int endKey = spec.endKey(tile.firstToken + count - 1, layout.keys());
        for (int key = firstKey; key < endKey; key += AttentionTile.MAX_KEYS) {
            tile.keys(key, Math.min(AttentionTile.MAX_KEYS, endKey - key));
            Matrix k = layout.keyRows(text.memory().k(), key, spec.kvHead(head));
            Matrix v = layout.keyRows(text.memory().v(), key, spec.kvHead(head));
            tile.score(spec, q, gradient, k, v);
            differentiate(text, head, row, tile);
            // Query gradients already contain the terms of earlier keys.
            boolean add = key > firstKey;
            tile.multiply(spec, q, gradient, k, add, qGradient, sums.k().fromRow(key), sums.v().fromRow(key));
            if (text.fold().isPresent()) {
                text.fold().get().add(head, tile, columnsOfStripe);
            }
        }
    }

    private static void differentiate(Text text, int head, int row, AttentionTile tile) {
        AttentionLayout layout = text.layout();
        AttentionSpec spec = layout.spec();
        MemorySegment sums = text.memory().logSumExp();
        for (int r = 0; r < tile.rows; r++) {
            int token = tile.firstToken + r;
            int from = Math.clamp(spec.firstKey(token) - tile.firstKey, 0, tile.width);
            int to = Math.clamp(spec.endKey(token, layout.keys()) - tile.firstKey, from, tile.width);
            tile.differentiate(
                    r, from, to, sums.getAtIndex(JAVA_FLOAT, layout.rowIndex(head, row + r)), spec.softCap());
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
