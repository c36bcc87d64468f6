package headscope.live.ring;

import headscope.result.tapped.Tapped;
import headscope.result.tapped.TappedAttention;
import headscope.result.tapped.TappedTokens;
import headscope.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;

/** The message in a copy of a slot. Every field is checked before it is used. */
final class SlotMessage {
    private final ByteBuffer slot;

    /** @param slot header and payload; the checksum is set to 0 */
    SlotMessage(byte[] slot) {
        this.slot = ByteBuffer.wrap(slot).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** @return empty if there is none; then the message can be read */
    Optional<Refusal> refusal(long sequence, RingFile ring) {
        if (slot.getLong(RingFormat.SEQUENCE) != sequence) {
            return Optional.of(Refusal.TORN);
        }
        if (Short.toUnsignedInt(slot.getShort(0)) != RingFormat.SLOT_MAGIC
                || slot.get(RingFormat.SLOT_VERSION) != ring.version()) {
            return Optional.of(Refusal.VERSION);
        }
        if (!checksumMatches()) {
            return Optional.of(Refusal.CHECKSUM);
        }
        return isConsistent(ring) ? Optional.empty() : Optional.of(Refusal.CONTRADICTORY);
    }

    private boolean checksumMatches() {
        int stored = slot.getInt(RingFormat.CHECKSUM);
        slot.putInt(RingFormat.CHECKSUM, 0);
        CRC32 computed = new CRC32();
        computed.update(slot.array());
        return (int) computed.getValue() == stored;
    }

    private boolean isConsistent(RingFile ring) {
        long first = uint(RingFormat.FIRST);
        long count = uint(RingFormat.COUNT);
        long end = uint(RingFormat.END);
        boolean tokensFit = count >= 1 && first + count <= end && end <= Integer.MAX_VALUE;
        return tokensFit && switch (slot.get(RingFormat.KIND)) {
            case RingFormat.ATTENTION -> isAttention(ring, count);
            case RingFormat.LAYERS_ALIKE -> isLayers(ring, count);
            case RingFormat.TOKENS -> isTokens(count);
            default -> false;
        };
    }

    private boolean isAttention(RingFile ring, long count) {
        if (!attends(ring)) {
            return false;
        }
        long perToken = bytesPerToken();
        long sinks = (slot.get(RingFormat.FLAGS) & RingFormat.SINKS) == 0 ? 0 : (long) ushort(RingFormat.HEADS) * Float.BYTES;
        if ((slot.get(RingFormat.FLAGS) & RingFormat.ON_GPU) != 0) {
            return count <= ring.slotBytes() / perToken && Long.BYTES + sinks == payload();
        }
        return count <= payload() / perToken && count * perToken + sinks == payload();
    }

    /** Whole layers, without sinks and memory of a GPU. */
    private boolean isLayers(RingFile ring, long count) {
        boolean plain = (slot.get(RingFormat.FLAGS) & ~RingFormat.CAUSAL) == 0;
        if (ring.version() < RingFormat.LAYERS_VERSION || !attends(ring) || !plain || count > payload() / bytesPerToken()) {
            return false;
        }
        long perLayer = count * bytesPerToken();
        return payload() % perLayer == 0 && ushort(RingFormat.LAYER) + payload() / perLayer <= ring.layers();
    }

    /** Queries and keys of one token and layer; at most 34 bits. */
    private long bytesPerToken() {
        return (long) (ushort(RingFormat.HEADS) + ushort(RingFormat.KV_HEADS)) * ushort(RingFormat.HEAD_DIM)
                * RingFormat.dtype(slot.get(RingFormat.DTYPE)).orElseThrow().bytes;
    }

    /** Whether the fields of attention can be true. */
    private boolean attends(RingFile ring) {
        int heads = ushort(RingFormat.HEADS);
        int kvHeads = ushort(RingFormat.KV_HEADS);
        int headDim = ushort(RingFormat.HEAD_DIM);
        int flags = slot.get(RingFormat.FLAGS);
        float scale = slot.getFloat(RingFormat.SCALE);
        float softCap = slot.getFloat(RingFormat.SOFT_CAP);
        long window = uint(RingFormat.WINDOW);
        Optional<DType> dtype = RingFormat.dtype(slot.get(RingFormat.DTYPE));
        return dtype.isPresent() && heads > 0 && kvHeads > 0 && heads % kvHeads == 0 && headDim > 0
                && ushort(RingFormat.LAYER) < ring.layers()
                && (flags & ~(RingFormat.CAUSAL | RingFormat.SINKS | RingFormat.ON_GPU)) == 0
                && Float.isFinite(scale) && Float.isFinite(softCap) && softCap >= 0
                && window <= Integer.MAX_VALUE && (window == 0 || (flags & RingFormat.CAUSAL) != 0);
    }

    /** Ids of 4 bytes, then as many names, each ended by a zero byte. */
    private boolean isTokens(long count) {
        if (count > payload() / (Integer.BYTES + 1)) {
            return false;
        }
        int names = RingFormat.SLOT_HEADER + (int) count * Integer.BYTES;
        long ends = 0;
        for (int i = names; i < slot.capacity(); i++) {
            ends += slot.get(i) == 0 ? 1 : 0;
        }
        return ends == count && slot.get(slot.capacity() - 1) == 0;
    }

    /** What it hands over; at least one. Call only if there is no refusal. */
    List<Tapped> read() {
        MemorySegment payload = MemorySegment.ofArray(slot.array()).asSlice(RingFormat.SLOT_HEADER);
        return switch (slot.get(RingFormat.KIND)) {
            case RingFormat.TOKENS -> List.of(tokens());
            case RingFormat.ATTENTION -> List.of(attention(payload));
            default -> layers(payload);
        };
    }

    private List<Tapped> layers(MemorySegment payload) {
        long perLayer = slot.getInt(RingFormat.COUNT) * bytesPerToken();
        List<Tapped> layers = new ArrayList<>();
        for (int i = 0; i < payload.byteSize() / perLayer; i++) {
            layers.add(attention(ushort(RingFormat.LAYER) + i, payload.asSlice(i * perLayer, perLayer)));
        }
        return layers;
    }

    /** Bytes of queries and keys that lie in memory of a GPU; call only if there is no refusal. */
    long bytesOnGpu() {
        boolean onGpu = slot.get(RingFormat.KIND) == RingFormat.ATTENTION && (slot.get(RingFormat.FLAGS) & RingFormat.ON_GPU) != 0;
        return onGpu ? uint(RingFormat.COUNT) * bytesPerToken() : 0;
    }

    /** The offer of the memory; call only if {@link #bytesOnGpu} is not 0. */
    long offer() {
        return slot.getLong(RingFormat.SLOT_HEADER);
    }

    /** @param rows queries, then keys; in memory of the GPU if {@link #bytesOnGpu} is not 0 */
    TappedAttention attention(MemorySegment rows) {
        return attention(ushort(RingFormat.LAYER), rows);
    }

    private TappedAttention attention(int layer, MemorySegment rows) {
        int heads = ushort(RingFormat.HEADS);
        int kvHeads = ushort(RingFormat.KV_HEADS);
        int headDim = ushort(RingFormat.HEAD_DIM);
        int count = slot.getInt(RingFormat.COUNT);
        int flags = slot.get(RingFormat.FLAGS);
        DType dtype = RingFormat.dtype(slot.get(RingFormat.DTYPE)).orElseThrow();
        int queryBytes = count * heads * headDim * dtype.bytes;
        int keyBytes = count * kvHeads * headDim * dtype.bytes;
        float[] sinks = new float[(flags & RingFormat.SINKS) == 0 ? 0 : heads];
        int end = slot.capacity() - sinks.length * Float.BYTES;
        for (int head = 0; head < sinks.length; head++) {
            sinks[head] = slot.getFloat(end + head * Float.BYTES);
        }
        return new TappedAttention(
                ushort(RingFormat.TEXT), layer, slot.getInt(RingFormat.FIRST), count,
                slot.getInt(RingFormat.END), heads, kvHeads, headDim, slot.getFloat(RingFormat.SCALE),
                (flags & RingFormat.CAUSAL) != 0, slot.getInt(RingFormat.WINDOW), slot.getFloat(RingFormat.SOFT_CAP),
                sinks, dtype, rows.asSlice(0, queryBytes), rows.asSlice(queryBytes, keyBytes),
                slot.getLong(RingFormat.NANOS), bytesOnGpu() != 0);
    }

    private TappedTokens tokens() {
        int[] ids = new int[slot.getInt(RingFormat.COUNT)];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = slot.getInt(RingFormat.SLOT_HEADER + i * Integer.BYTES);
        }
        int from = RingFormat.SLOT_HEADER + ids.length * Integer.BYTES;
        String names = new String(slot.array(), from, slot.capacity() - from, StandardCharsets.UTF_8);
        List<String> each = Arrays.asList(names.split("\0", -1)).subList(0, ids.length);
        return new TappedTokens(
                ushort(RingFormat.TEXT), slot.getInt(RingFormat.FIRST), slot.getInt(RingFormat.END), ids, each);
    }

    private long payload() {
        return slot.capacity() - RingFormat.SLOT_HEADER;
    }

    private long uint(int offset) {
        return Integer.toUnsignedLong(slot.getInt(offset));
    }

    private int ushort(int offset) {
        return Short.toUnsignedInt(slot.getShort(offset));
    }
}
