package headscope.live.ring;

import headscope.tensor.DType;
import java.util.Optional;

/** Numbers of the ring's layout, which docs/ring.md describes. Offsets are in bytes. */
final class RingFormat {
    static final int VERSION = 3;

    /** The oldest version that can be read. */
    static final int OLDEST_VERSION = 1;

    /** The first version with memory of a GPU, and the first with messages of several layers. */
    static final int GPU_VERSION = 2;

    static final int LAYERS_VERSION = 3;

    /** "HSRG" and "HS", little-endian. */
    static final int RING_MAGIC = 0x47525348;

    static final int SLOT_MAGIC = 0x5348;

    /** The ring's header; the slots begin behind it. */
    static final int RING_HEADER = 4096;

    static final int RING_VERSION = 4;
    static final int GENERATION = 8;
    static final int SLOTS = 16;
    static final int SLOT_BYTES = 20;
    static final int LAYERS = 24;
    static final int PROCESS = 28;
    static final int PUBLISHED = 64;
    static final int SKIPPED = 72;

    /** The only word that readers write. */
    static final int READ = 128;

    /** Number of the offer of memory of a GPU, 0 for none; written by the reader that offers, last. */
    static final int OFFER = 256;

    /** The offer that the producer uses, or 0; written by the producer, as are the two below. */
    static final int ACCEPTED = 264;

    static final int REFUSED = 272;
    static final int REASON = 368;
    static final int REASON_BYTES = 256;

    /** Of the reader that offers. */
    static final int UUID = 280;

    static final int OFFERED_BYTES = 296;
    static final int HANDLE = 304;

    /** The producer holds a lock on the first byte of the file, a reader that offers memory of a GPU on the second. */
    static final int PRODUCER_LOCK = 0;

    static final int RECEIVER_LOCK = 1;

    /** A slot's header; the payload begins behind it. */
    static final int SLOT_HEADER = 64;

    static final int SLOT_VERSION = 2;
    static final int KIND = 3;
    static final int DTYPE = 4;
    static final int FLAGS = 5;
    static final int LAYER = 6;
    static final int SEQUENCE = 8;
    static final int NANOS = 16;
    static final int LENGTH = 24;
    static final int CHECKSUM = 28;
    static final int FIRST = 32;
    static final int COUNT = 36;
    static final int END = 40;
    static final int WINDOW = 44;
    static final int SCALE = 48;
    static final int SOFT_CAP = 52;
    static final int HEADS = 56;
    static final int KV_HEADS = 58;
    static final int HEAD_DIM = 60;
    static final int TEXT = 62;

    static final int ATTENTION = 1;
    static final int TOKENS = 2;

    /** Attention of successive layers that attend alike. */
    static final int LAYERS_ALIKE = 3;

    static final int CAUSAL = 1;
    static final int SINKS = 2;
    static final int ON_GPU = 4;

    private RingFormat() {}

    /** Bytes of a ring with this many slots. */
    static long bytes(long slots, long slotBytes) {
        return RING_HEADER + slots * slotBytes;
    }

    /** The type of queries and keys with this code. */
    static Optional<DType> dtype(int code) {
        return switch (code) {
            case 1 -> Optional.of(DType.F32);
            case 2 -> Optional.of(DType.F16);
            case 3 -> Optional.of(DType.BF16);
            default -> Optional.empty();
        };
    }
}
