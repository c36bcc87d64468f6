package headscope.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Converts between floating-point types, rounding to nearest, ties to even. Little-endian, any alignment. */
public final class Conversion {
    /** Elements per step: the arrays on the heap stay in the first-level cache. */
    private static final int BLOCK = 2048;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Conversion() {}

    /**
     * Converts all elements of source.
     *
     * @param from F32, F16, BF16 or F64
     * @param to   F32, F16 or BF16
     */
    public static void copy(DType from, MemorySegment source, DType to, MemorySegment destination) {
        if (from == to) {
            destination.copyFrom(source);
        } else if (to == DType.F32) {
            widen(from, source, destination);
        } else if (from == DType.F32) {
            narrow(source, to, destination);
        } else {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment floats = arena.allocate(source.byteSize() / from.bytes * Float.BYTES, Float.BYTES);
                widen(from, source, floats);
                narrow(floats, to, destination);
            }
        }
    }

    private static void widen(DType from, MemorySegment source, MemorySegment floats) {
        long count = source.byteSize() / from.bytes;
        for (long at = 0; at < count; at += BLOCK) {
            int n = (int) Math.min(BLOCK, count - at);
            switch (from) {
                case F16 -> widenF16(source, floats, at, n);
                case BF16 -> widenBF16(source, floats, at, n);
                case F64 -> widenF64(source, floats, at, n);
                default -> throw new IllegalArgumentException("cannot convert from " + from);
            }
        }
    }

    private static void narrow(MemorySegment floats, DType to, MemorySegment destination) {
        long count = floats.byteSize() / Float.BYTES;
        for (long at = 0; at < count; at += BLOCK) {
            int n = (int) Math.min(BLOCK, count - at);
            switch (to) {
                case F16 -> narrowF16(floats, destination, at, n);
                case BF16 -> narrowBF16(floats, destination, at, n);
                default -> throw new IllegalArgumentException("cannot convert to " + to);
            }
        }
    }

    private static void widenF16(MemorySegment source, MemorySegment floats, long at, int n) {
        short[] in = new short[n];
        float[] out = new float[n];
        MemorySegment.copy(source, SHORT, 2 * at, in, 0, n);
        for (int i = 0; i < n; i++) {
            out[i] = Float.float16ToFloat(in[i]);
        }
        MemorySegment.copy(out, 0, floats, FLOAT, 4 * at, n);
    }

    /** BF16 is the upper half of an fp32. Copied as bits, so that NaN payloads are preserved. */
    private static void widenBF16(MemorySegment source, MemorySegment floats, long at, int n) {
        short[] in = new short[n];
        int[] out = new int[n];
        MemorySegment.copy(source, SHORT, 2 * at, in, 0, n);
        for (int i = 0; i < n; i++) {
            out[i] = in[i] << 16;
        }
        MemorySegment.copy(out, 0, floats, INT, 4 * at, n);
    }

    private static void widenF64(MemorySegment source, MemorySegment floats, long at, int n) {
        double[] in = new double[n];
        float[] out = new float[n];
        MemorySegment.copy(source, DOUBLE, 8 * at, in, 0, n);
        for (int i = 0; i < n; i++) {
            out[i] = (float) in[i];
        }
        MemorySegment.copy(out, 0, floats, FLOAT, 4 * at, n);
    }

    private static void narrowF16(MemorySegment floats, MemorySegment destination, long at, int n) {
        float[] in = new float[n];
        short[] out = new short[n];
        MemorySegment.copy(floats, FLOAT, 4 * at, in, 0, n);
        for (int i = 0; i < n; i++) {
            out[i] = Float.floatToFloat16(in[i]);
        }
        MemorySegment.copy(out, 0, destination, SHORT, 2 * at, n);
    }

    private static void narrowBF16(MemorySegment floats, MemorySegment destination, long at, int n) {
        int[] in = new int[n];
        short[] out = new short[n];
        MemorySegment.copy(floats, INT, 4 * at, in, 0, n);
        for (int i = 0; i < n; i++) {
            out[i] = upperHalf(in[i]);
        }
        MemorySegment.copy(out, 0, destination, SHORT, 2 * at, n);
    }

    private static short upperHalf(int bits) {
        if (Float.isNaN(Float.intBitsToFloat(bits))) {
            // Without this bit a payload in the lower half alone would become infinity.
            return (short) (bits >>> 16 | 0x40);
        }
        int half = 0x7fff + (bits >>> 16 & 1);
        return (short) (bits + half >>> 16);
    }
}
