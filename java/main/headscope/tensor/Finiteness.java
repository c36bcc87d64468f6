package headscope.tensor;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Looks for infinities and NaN among stored numbers: their exponent consists of ones. */
public final class Finiteness {
    /** Words per step: the array stays in the first-level cache, and the loops over it are compiled to vectors. */
    private static final int WORDS = 4096;

    private Finiteness() {}

    /**
     * Whether all elements are finite.
     *
     * @param type F32, F16 or BF16; little-endian, at any alignment
     */
    public static boolean holds(DType type, MemorySegment elements) {
        return switch (type) {
            // Adding 1 to an exponent of ones carries into the sign bit, which was cleared; no carry leaves an element.
            case F32 -> noneCarries(elements, 0x7fff_ffff, 0x0080_0000);
            case BF16 -> noneCarries(elements, 0x7fff_7fff, 0x0080_0080);
            case F16 -> noneCarries(elements, 0x7fff_7fff, 0x0400_0400);
            default -> throw new IllegalArgumentException(type + " is not a floating-point type of at most 32 bits");
        };
    }

    private static boolean noneCarries(MemorySegment elements, int magnitude, int one) {
        int[] words = new int[WORDS];
        MemorySegment block = MemorySegment.ofArray(words);
        long blockBytes = (long) WORDS * Integer.BYTES;
        for (long at = 0; at < elements.byteSize(); at += blockBytes) {
            long bytes = Math.min(blockBytes, elements.byteSize() - at);
            if (bytes < blockBytes) {
                Arrays.fill(words, 0);
            }
            MemorySegment.copy(elements, JAVA_BYTE, at, block, JAVA_BYTE, 0, bytes);
            if ((carries(words, magnitude, one) & ~magnitude) != 0) {
                return false;
            }
        }
        return true;
    }

    private static int carries(int[] words, int magnitude, int one) {
        int all = 0;
        for (int word : words) {
            all |= (word & magnitude) + one;
        }
        return all;
    }
}
