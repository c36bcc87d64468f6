package headscope.live.ring;

import headscope.result.tapped.Tapped;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Reads what a tap in another process publishes in shared memory; docs/ring.md describes the layout. Begins with the oldest
 * message that is still there, and follows a producer that is restarted. Nothing that a ring contains makes it read
 * outside of the file: doubtful messages are refused and counted. Used by one thread; several readers can read one ring.
 */
public final class RingReader implements AutoCloseable {
    private static final Path FOLDER = Path.of("/dev/shm");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

    /** How often an idle reader looks for a new producer. */
    private static final long NANOS_BETWEEN_LOOKS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Path path;
    private final Map<Refusal, Long> refused = new EnumMap<>(Refusal.class);
    /** What a message has handed over and {@link #poll} has not yet given. */
    private final Deque<Tapped> pending = new ArrayDeque<>();
    private RingFile file;
    private long next;
    private int restarts;
    private long lastLook;
    private Optional<GpuSlots> gpu = Optional.empty();

    private RingReader(Path path) {
        this.path = path;
        for (Refusal refusal : Refusal.values()) {
            refused.put(refusal, 0L);
        }
        follow(new RingFile(path));
        if (file.usesGpu() && file.hasProducer()) {
            RingException taken = file.taken();
            file.close();
            throw taken;
        }
    }

    /**
     * Opens the ring of {@code headscope_tap.tap(model, name)}.
     *
     * @throws RingException if there is no ring of this name, or not one that this program can read
     */
    public static RingReader open(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new RingException("a ring's name has up to 64 letters, digits, dots, hyphens and underscores");
        }
        return open(path(name));
    }

    /** Like {@link #open(String)}, with the file's path. */
    public static RingReader open(Path path) {
        return new RingReader(path);
    }

    /** The file of a ring. */
    public static Path path(String name) {
        return FOLDER.resolve("headscope-" + name + ".ring");
    }

    /** Bytes of memory of a GPU that takes the queries and keys of all slots, for {@link #receive}. */
    public long gpuBytes() {
        return file.slots() * file.slotBytes();
    }

    /** Bytes of the queries and keys of one slot. */
    public int slotBytes() {
        return file.slotBytes();
    }

    /**
     * Has the producer write queries and keys to memory of a GPU from its next pass on. It may refuse: then {@link #poll}
     * throws. {@link #withdraw} must come before the memory is freed.
     *
     * @throws RingException if the producer does not know such memory, or another reader offers its own
     */
    public void receive(GpuSlots slots) {
        file.offer(slots);
        gpu = Optional.of(slots);
    }

    /** Ends {@link #receive}. @return whether the producer has closed the memory; otherwise it must not be freed */
    public boolean withdraw() {
        gpu = Optional.empty();
        return file.withdraw();
    }

    private void follow(RingFile opened) {
        file = opened;
        next = Math.max(1, opened.published() - opened.slots() + 1);
    }

    /**
     * What the tap hands over next, if there is something. What it has on a GPU is valid until the next call.
     *
     * @throws RingException if the file was truncated, or replaced by a ring that this program cannot read, or if the
     *                       producer refuses memory of a GPU
     */
    public Optional<Tapped> poll() {
        if (!pending.isEmpty()) {
            return Optional.of(pending.pop());
        }
        try {
            Optional<Tapped> message = message();
            file.markRead(next - 1);
            if (message.isEmpty() && next > file.published()) {
                file.refusal().ifPresent(reason -> {
                    throw new RingException(path + ": --same-gpu is refused: " + reason + "; leave it out");
                });
                followNewProducer();
            }
            return message;
        } catch (InternalError fault) {
            if (!file.isWhole()) {
                throw new RingException(path + ": was truncated; start the feeding process again");
            }
            throw fault;
        }
    }

    /** Skips what is refused. */
    private Optional<Tapped> message() {
        long published = file.published();
        while (next <= published) {
            if (published - next >= file.slots()) {
                long oldest = published - file.slots() + 1;
                count(Refusal.OVERWRITTEN, oldest - next);
                next = oldest;
            }
            long sequence = next++;
            Optional<Tapped> message = read(sequence);
            if (message.isPresent()) {
                return message;
            }
        }
        return Optional.empty();
    }

    private Optional<Tapped> read(long sequence) {
        long before = file.sequence(sequence);
        if (before != sequence) {
            return refuse(before == 0 || before > sequence ? Refusal.OVERWRITTEN : Refusal.STALE);
        }
        Optional<byte[]> copy = file.copy(sequence);
        if (file.sequence(sequence) != sequence) {
            return refuse(Refusal.TORN);
        }
        if (copy.isEmpty()) {
            return refuse(Refusal.CONTRADICTORY);
        }
        SlotMessage message = new SlotMessage(copy.get());
        Optional<Refusal> refusal = message.refusal(sequence, file);
        if (refusal.isPresent()) {
            return refuse(refusal.get());
        }
        if (message.bytesOnGpu() == 0) {
            pending.addAll(message.read());
            return Optional.of(pending.pop());
        }
        if (!file.offers(message.offer())) {
            if (file.uses(message.offer())) {
                throw file.taken();
            }
            return refuse(Refusal.OVERWRITTEN); // with memory that has been freed
        }
        MemorySegment rows = gpu.orElseThrow().read(file.gpuOffset(sequence), message.bytesOnGpu());
        return file.sequence(sequence) == sequence ? Optional.of(message.attention(rows)) : refuse(Refusal.TORN);
    }

    private Optional<Tapped> refuse(Refusal reason) {
        count(reason, 1);
        return Optional.empty();
    }

    private void count(Refusal reason, long messages) {
        refused.merge(reason, messages, Long::sum);
    }

    private void followNewProducer() {
        long now = System.nanoTime();
        if (now - lastLook < NANOS_BETWEEN_LOOKS) {
            return;
        }
        lastLook = now;
        if (file.isReplaced()) {
            RingFile replacement = new RingFile(path);
            Optional<GpuSlots> slots = gpu;
            if (slots.isPresent() && (replacement.slots() * replacement.slotBytes() > gpuBytes()
                    || replacement.slotBytes() > slotBytes())) {
                replacement.close();
                throw new RingException(path + ": the new process has a larger ring: start this program again");
            }
            withdraw();
            file.close();
            follow(replacement);
            slots.ifPresent(this::receive);
            restarts++;
        }
    }

    /** Random number of the producer's start: another one after a restart. */
    public long generation() {
        return file.generation();
    }

    /** How often another producer has taken the place of the one before. */
    public int restarts() {
        return restarts;
    }

    /** Whether the producer still runs. If not, {@link #poll} gives what it has left, and follows the next producer. */
    public boolean hasProducer() {
        return file.hasProducer();
    }

    /** Number of layers of the model. */
    public int layers() {
        return file.layers();
    }

    /** Number of passes that the producer has left out because its buffers were full. */
    public long skipped() {
        return file.skipped();
    }

    /** Number of messages that were not read, by reason; all zero if nothing is lost. */
    public Map<Refusal, Long> refused() {
        return Map.copyOf(refused);
    }

    @Override
    public void close() {
        file.close();
    }
}
