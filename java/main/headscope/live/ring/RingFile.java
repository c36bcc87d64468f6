package headscope.live.ring;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** One mapped ring: the file of one producer, from its start to its end. */
final class RingFile implements AutoCloseable {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle WORD = LONG.varHandle();
    private static final int MAX_LAYERS = 1 << 16;

    /** A producer looks at the offer ten times a second. */
    private static final long WITHDRAWAL_NANOS = 2_000_000_000;

    private final Path path;
    private final Arena arena = Arena.ofShared();
    private final FileChannel channel;
    private final MemorySegment memory;
    private final Object key;
    private final int version;
    private final long generation;
    private final long slots;
    private final int slotBytes;
    private final int layers;
    private Optional<FileLock> receiver = Optional.empty();
    private long offer;

    /** @throws RingException if there is no ring, or not one that this program can read */
    RingFile(Path path) {
        this.path = path;
        try {
            this.channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (NoSuchFileException none) {
            throw new RingException(path + ": does not exist; start the process that feeds it, or check the name");
        } catch (AccessDeniedException denied) {
            throw new RingException(path + ": belongs to another user; run Headscope as the user of the feeding process");
        } catch (IOException failure) {
            throw new RingException(path + ": " + failure.getMessage());
        }
        try {
            this.key = key(path).orElseThrow(() -> fault("was deleted; start the feeding process again"));
            long bytes = channel.size();
            if (bytes < RingFormat.RING_HEADER) {
                throw fault("is not a ring: it has only %d bytes".formatted(bytes));
            }
            this.memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
            if (memory.get(INT, 0) != RingFormat.RING_MAGIC) {
                throw fault("is not a ring");
            }
            this.version = memory.get(INT, RingFormat.RING_VERSION);
            if (version < RingFormat.OLDEST_VERSION || version > RingFormat.VERSION) {
                throw fault("contains version %d of the ring, but this program reads versions %d to %d; use the headscope_tap.py of this release"
                        .formatted(version, RingFormat.OLDEST_VERSION, RingFormat.VERSION));
            }
            this.generation = memory.get(LONG, RingFormat.GENERATION);
            this.slots = Integer.toUnsignedLong(memory.get(INT, RingFormat.SLOTS));
            this.slotBytes = memory.get(INT, RingFormat.SLOT_BYTES);
            this.layers = memory.get(INT, RingFormat.LAYERS);
            if (slots < 1 || slotBytes <= RingFormat.SLOT_HEADER || slotBytes % RingFormat.SLOT_HEADER != 0
                    || layers < 1 || layers > MAX_LAYERS || RingFormat.bytes(slots, slotBytes) != bytes) {
                throw fault("contradicts itself: %d slots of %d bytes, %d layers, in %d bytes"
                        .formatted(slots, slotBytes, layers, bytes));
            }
        } catch (IOException failure) {
            close();
            throw fault(String.valueOf(failure.getMessage()));
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    private RingException fault(String what) {
        return new RingException(path + ": " + what);
    }

    /** Identifies the file behind a path; empty if there is none. */
    private static Optional<Object> key(Path path) {
        try {
            return Optional.of(Files.readAttributes(path, BasicFileAttributes.class).fileKey());
        } catch (IOException none) {
            return Optional.empty();
        }
    }

    int version() {
        return version;
    }

    int slotBytes() {
        return slotBytes;
    }

    long generation() {
        return generation;
    }

    long slots() {
        return slots;
    }

    int layers() {
        return layers;
    }

    /** Sequence number of the newest message; 0 if there is none. */
    long published() {
        return word(RingFormat.PUBLISHED);
    }

    /** Number of passes that the producer has left out. */
    long skipped() {
        return word(RingFormat.SKIPPED);
    }

    /** Tells the producer how far a reader has come. */
    void markRead(long sequence) {
        WORD.setRelease(memory, (long) RingFormat.READ, sequence);
    }

    /** Sequence number in the slot of a message: of this message, unless it is being or has been overwritten. */
    long sequence(long of) {
        return word(offset(of) + RingFormat.SEQUENCE);
    }

    /** @return a copy of header and payload; empty if the length does not fit into a slot */
    Optional<byte[]> copy(long of) {
        long offset = offset(of);
        long length = Integer.toUnsignedLong(memory.get(INT, offset + RingFormat.LENGTH));
        if (length > slotBytes - RingFormat.SLOT_HEADER) {
            return Optional.empty();
        }
        byte[] slot = new byte[RingFormat.SLOT_HEADER + (int) length];
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, offset, slot, 0, slot.length);
        // The caller compares the sequence number again: that read must not come before the copy.
        VarHandle.acquireFence();
        return Optional.of(slot);
    }

    private long offset(long sequence) {
        return RingFormat.RING_HEADER + (sequence - 1) % slots * slotBytes;
    }

    /** Offset of a message's queries and keys in memory of a GPU. */
    long gpuOffset(long of) {
        return offset(of) - RingFormat.RING_HEADER;
    }

    /**
     * Offers memory of a GPU to the producer.
     *
     * @throws RingException if the producer does not know such memory, or another reader offers its own
     */
    void offer(GpuSlots offered) {
        if (version < RingFormat.GPU_VERSION) {
            throw fault("the feeding process uses an older headscope_tap.py without support for --same-gpu: use that of this release");
        }
        try {
            receiver = Optional.ofNullable(channel.tryLock(RingFormat.RECEIVER_LOCK, 1, false));
        } catch (OverlappingFileLockException | IOException failure) {
            receiver = Optional.empty();
        }
        if (receiver.isEmpty()) {
            throw taken();
        }
        MemorySegment.copy(MemorySegment.ofArray(offered.uuid()), 0, memory, RingFormat.UUID, offered.uuid().length);
        memory.set(LONG, RingFormat.OFFERED_BYTES, this.slots * slotBytes);
        MemorySegment.copy(MemorySegment.ofArray(offered.handle()), 0, memory, RingFormat.HANDLE, offered.handle().length);
        offer = System.nanoTime() | 1;
        WORD.setRelease(memory, (long) RingFormat.OFFER, offer);
    }

    RingException taken() {
        return fault("another Headscope process already uses --same-gpu with this model: end it first");
    }

    /** Whether the producer writes queries and keys to memory of a GPU that a reader has offered. */
    boolean usesGpu() {
        return version >= RingFormat.GPU_VERSION && word(RingFormat.ACCEPTED) != 0;
    }

    boolean uses(long offered) {
        return word(RingFormat.ACCEPTED) == offered;
    }

    /** Whether this reader has made an offer and stands by it. */
    boolean offers(long offered) {
        return receiver.isPresent() && offer == offered;
    }

    /** Why the producer refuses the offer, if it does. */
    Optional<String> refusal() {
        if (receiver.isEmpty() || word(RingFormat.REFUSED) != offer) {
            return Optional.empty();
        }
        byte[] reason = memory.asSlice(RingFormat.REASON, RingFormat.REASON_BYTES).toArray(ValueLayout.JAVA_BYTE);
        return Optional.of(new String(reason, StandardCharsets.UTF_8).split("\0")[0]);
    }

    /** Ends the offer. @return whether the producer has closed the memory; otherwise it must not be freed */
    boolean withdraw() {
        if (receiver.isEmpty()) {
            return true;
        }
        WORD.setRelease(memory, (long) RingFormat.OFFER, 0L);
        VarHandle.fullFence(); // the producer writes ACCEPTED and then reads OFFER: one of the two sees the other's word
        long end = System.nanoTime() + WITHDRAWAL_NANOS;
        while (usesGpu() && hasProducer() && System.nanoTime() < end) {
            LockSupport.parkNanos(1_000_000);
        }
        try {
            receiver.get().release();
        } catch (IOException failure) {
            throw fault(String.valueOf(failure.getMessage()));
        }
        receiver = Optional.empty();
        return !usesGpu() || !hasProducer();
    }

    private long word(long offset) {
        return (long) WORD.getAcquire(memory, offset);
    }

    /** Whether another file has taken the place of this one: a producer has started since. */
    boolean isReplaced() {
        return key(path).filter(now -> !now.equals(key)).isPresent();
    }

    /** Whether the producer runs: it holds a lock on the first byte, which the system releases when it dies. */
    boolean hasProducer() {
        try (FileLock lock = channel.tryLock(RingFormat.PRODUCER_LOCK, 1, true)) {
            return lock == null;
        } catch (OverlappingFileLockException otherReader) {
            return false; // another reader of this program holds the lock for a moment: no producer does
        } catch (IOException failure) {
            throw fault(String.valueOf(failure.getMessage()));
        }
    }

    /** Whether the file is still as long as it was: reading behind its end fails. */
    boolean isWhole() {
        try {
            return channel.size() >= RingFormat.bytes(slots, slotBytes);
        } catch (IOException failure) {
            return false;
        }
    }

    @Override
    public void close() {
        arena.close();
        try {
            channel.close();
        } catch (IOException failure) {
            throw new java.io.UncheckedIOException(failure);
        }
    }
}
