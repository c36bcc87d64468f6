package headscope.live.ring;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.function.Consumer;
import java.util.zip.CRC32;

/** Writes a ring after docs/ring.md, with correct or deliberately wrong messages. */
final class HandmadeRing implements AutoCloseable {
    static final int SLOTS = 4;
    static final int SLOT_BYTES = 512;
    static final int LAYERS = 2;

    private static final int HEADS = 2;
    private static final int KV_HEADS = 1;
    private static final int HEAD_DIM = 4;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private long published;

    /** A valid, empty ring; its header can be changed before it is written. */
    static byte[] header(Consumer<ByteBuffer> change) {
        ByteBuffer bytes = ByteBuffer.allocate(4096 + SLOTS * SLOT_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put(new byte[] {'H', 'S', 'R', 'G'}).putInt(1).putLong(77).putInt(SLOTS).putInt(SLOT_BYTES).putInt(LAYERS);
        change.accept(bytes);
        return bytes.array();
    }

    private HandmadeRing(Path file, long generation, int version, Consumer<ByteBuffer> change) throws IOException {
        // Renamed into its place, as a producer does.
        Path started = file.resolveSibling(file.getFileName() + ".new");
        Files.write(started, header(bytes -> change.accept(bytes.putInt(4, version).putLong(8, generation))));
        try (FileChannel channel = FileChannel.open(started, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            this.memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size(), arena);
        }
        Files.move(started, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /** A ring of version 1. */
    static HandmadeRing create(Path file, long generation) {
        return create(file, generation, 1);
    }

    static HandmadeRing create(Path file, long generation, int version) {
        return create(file, generation, version, header -> {});
    }

    /** @param change of the header */
    static HandmadeRing create(Path file, long generation, int version, Consumer<ByteBuffer> change) {
        try {
            return new HandmadeRing(file, generation, version, change);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** A message of layer 1 for one token at this position, whose 12 numbers are all equal to the position. */
    static ByteBuffer attention(int position) {
        int length = (HEADS + KV_HEADS) * HEAD_DIM * Float.BYTES;
        ByteBuffer slot = ByteBuffer.allocate(64 + length).order(ByteOrder.LITTLE_ENDIAN);
        slot.put((byte) 'H').put((byte) 'S').put((byte) 1).put((byte) 1).put((byte) 1).put((byte) 1).putShort((short) 1);
        slot.putLong(0).putLong(5).putInt(length).putInt(0);
        slot.putInt(position).putInt(1).putInt(position + 1).putInt(0).putFloat(0.5f).putFloat(0);
        slot.putShort((short) HEADS).putShort((short) KV_HEADS).putShort((short) HEAD_DIM).putShort((short) 9);
        while (slot.hasRemaining()) {
            slot.putFloat(position);
        }
        return slot;
    }

    /** A message of this many layers from layer 0 on, in a ring of version 3; the numbers of a layer are position + layer. */
    static ByteBuffer layers(int position, int layers) {
        int length = (HEADS + KV_HEADS) * HEAD_DIM * Float.BYTES;
        ByteBuffer slot = ByteBuffer.allocate(64 + layers * length).order(ByteOrder.LITTLE_ENDIAN);
        slot.put(attention(position).array(), 0, 64).put(2, (byte) 3).put(3, (byte) 3).putShort(6, (short) 0);
        slot.putInt(24, layers * length);
        for (int i = 0; slot.hasRemaining(); i++) {
            slot.putFloat(position + i * Float.BYTES / length);
        }
        return slot;
    }

    /** The message of one layer in a ring of version 2, with its queries and keys in memory of a GPU. */
    static ByteBuffer attentionOnGpu(int position, long offer) {
        ByteBuffer slot = ByteBuffer.allocate(72).order(ByteOrder.LITTLE_ENDIAN).put(attention(position).array(), 0, 64);
        return slot.put(2, (byte) 2).put(5, (byte) 5).putInt(24, 8).putLong(64, offer);
    }

    /** Publishes a message with its sequence number and checksum. */
    void publish(ByteBuffer slot) {
        publish(slot, sealed -> {});
    }

    /** Publishes a message, changed after its checksum has been computed. */
    void publish(ByteBuffer slot, Consumer<ByteBuffer> change) {
        long sequence = published + 1;
        slot.putLong(8, sequence).putInt(28, 0);
        CRC32 checksum = new CRC32();
        checksum.update(slot.array());
        slot.putInt(28, (int) checksum.getValue());
        change.accept(slot);
        long at = 4096 + published % SLOTS * SLOT_BYTES;
        long written = slot.getLong(8);
        word(at + 8, 0);
        slot.putLong(8, 0);
        MemorySegment.copy(slot.array(), 0, memory, ValueLayout.JAVA_BYTE, at, slot.capacity());
        word(at + 8, written);
        published = sequence;
        word(64, published);
    }

    byte[] bytes(long offset, int count) {
        return memory.asSlice(offset, count).toArray(ValueLayout.JAVA_BYTE);
    }

    void text(long offset, String text) {
        memory.setString(offset, text);
    }

    void word(long offset, long value) {
        ValueLayout.JAVA_LONG.varHandle().setRelease(memory, offset, value);
    }

    long word(long offset) {
        return (long) ValueLayout.JAVA_LONG.varHandle().getAcquire(memory, offset);
    }

    @Override
    public void close() {
        arena.close();
    }
}
