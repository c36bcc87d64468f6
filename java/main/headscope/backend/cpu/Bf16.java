package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Widens bf16 to fp32, whose upper half it is; exact. */
final class Bf16 {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> SHORTS =
            VectorSpecies.of(short.class, VectorShape.forBitSize(INTS.vectorBitSize() / 2));

    private Bf16() {}

    /** floats[at ...] = elements[first ...], count of them. */
    static void widen(MemorySegment elements, long first, MemorySegment floats, long at, int count) {
        MemorySegment from = Simd.known(elements);
        MemorySegment to = Simd.known(floats);
        int whole = INTS.loopBound(count);
        for (int i = 0; i < whole; i += INTS.length()) {
            ShortVector.fromMemorySegment(SHORTS, from, first + i << 1, Simd.ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0)
                    .reinterpretAsInts()
                    .lanewise(VectorOperators.LSHL, Short.SIZE)
                    .intoMemorySegment(to, at + i << 2, Simd.ORDER);
        }
        for (int i = whole; i < count; i++) {
            to.set(JAVA_INT, at + i << 2,
                    from.get(JAVA_SHORT, first + i << 1) << Short.SIZE);
        }
    }
}
