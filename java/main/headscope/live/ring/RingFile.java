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
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/** One mapped ring: the file of one producer, from its start to its end. */
final class RingFile implements AutoCloseable {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle WORD = LONG.varHandle();
    private static final int MAX_LAYERS = 1 << 16;

    private final Path path;
    private final Arena arena = Arena.ofShared();
    private final FileChannel channel;
    private final MemorySegment memory;
    private final Object key;
    private final long generation;
    private final long slots;
    private final int slotBytes;
    private final int layers;

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
            int version = memory.get(INT, RingFormat.RING_VERSION);
            if (version != RingFormat.VERSION) {
                throw fault("has version %d of the ring, this program reads version %d; use the headscope_tap.py of this release"
                        .formatted(version, RingFormat.VERSION));
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

    private long word(long offset) {
        return (long) WORD.getAcquire(memory, offset);
    }

    /** Whether another file has taken the place of this one: a producer has started since. */
    boolean isReplaced() {
        return key(path).filter(now -> !now.equals(key)).isPresent();
    }

    /** Whether the producer runs: it holds a lock on the first byte, which the system releases when it dies. */
    boolean hasProducer() {
        try (FileLock lock = channel.tryLock(0, 1, true)) {
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
