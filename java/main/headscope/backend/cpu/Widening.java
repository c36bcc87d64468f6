package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import headscope.tensor.DType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Widens finite 16-bit elements to fp32; exact. */
final class Widening {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(INTS.vectorBitSize() / 2));

    /** All bits of an f16 but its sign. */
    private static final int F16_MAGNITUDE = 0x7fff;
    /** Mantissas of f16 have 10 bits, of fp32 23. */
    private static final int F16_SHIFT = 13;
    /** Exponents of f16 have the bias 15, of fp32 127. */
    private static final float F16_SCALE = 0x1p112f;

    private Widening() {}

    /**
     * floats[at ...] = elements[first ...], count of them.
     *
     * @param type BF16 or F16
     */
    static void widen(DType type, MemorySegment elements, long first, MemorySegment floats, long at, int count) {
        if (type == DType.BF16) {
            bf16(Simd.known(elements), first, Simd.known(floats), at, count);
        } else {
            f16(Simd.known(elements), first, Simd.known(floats), at, count);
        }
    }

    /** A bf16 is the upper half of an fp32. */
    private static void bf16(MemorySegment from, long first, MemorySegment to, long at, int count) {
        int whole = INTS.loopBound(count);
        for (int i = 0; i < whole; i += INTS.length()) {
            load(from, first + i).lanewise(VectorOperators.LSHL, Short.SIZE).intoMemorySegment(to, at + i << 2, Simd.ORDER);
        }
        for (int i = whole; i < count; i++) {
            to.set(JAVA_INT, at + i << 2, from.get(JAVA_SHORT, first + i << 1) << Short.SIZE);
        }
    }

    private static void f16(MemorySegment from, long first, MemorySegment to, long at, int count) {
        int whole = INTS.loopBound(count);
        for (int i = 0; i < whole; i += INTS.length()) {
            IntVector bits = load(from, first + i);
            IntVector magnitude = bits.and(F16_MAGNITUDE).lanewise(VectorOperators.LSHL, F16_SHIFT)
                    .reinterpretAsFloats().mul(F16_SCALE).reinterpretAsInts();
            bits.and(~F16_MAGNITUDE).lanewise(VectorOperators.LSHL, Short.SIZE).or(magnitude)
                    .intoMemorySegment(to, at + i << 2, Simd.ORDER);
        }
        for (int i = whole; i < count; i++) {
            to.set(JAVA_FLOAT, at + i << 2, Float.float16ToFloat(from.get(JAVA_SHORT, first + i << 1)));
        }
    }

    /** Elements in the lower halves of integers. */
    private static IntVector load(MemorySegment from, long first) {
        return ShortVector.fromMemorySegment(SHORTS, from, first << 1, Simd.ORDER)
                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0)
                .reinterpretAsInts();
    }
}
