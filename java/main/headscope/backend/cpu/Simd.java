package headscope.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** The processor's widest registers, and how a segment's elements get into them. Indices count elements. */
final class Simd {
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;
    /** Floats in one register. */
    static final int WIDTH = FLOATS.length();

    static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final Class<?> NATIVE = MemorySegment.NULL.getClass();

    private Simd() {}

    static FloatVector load(MemorySegment segment, long index) {
        return FloatVector.fromMemorySegment(FLOATS, known(segment), index << 2, ORDER);
    }

    static void store(FloatVector vector, MemorySegment segment, long index) {
        vector.intoMemorySegment(known(segment), index << 2, ORDER);
    }

    /** The lanes from index on that lie before end. */
    static VectorMask<Float> inside(long index, long end) {
        return FLOATS.indexInRange(index, end);
    }

    /** Lanes that are not inside are 0. */
    static FloatVector load(MemorySegment segment, long index, VectorMask<Float> inside) {
        return FloatVector.fromMemorySegment(FLOATS, known(segment), index << 2, ORDER, inside);
    }

    static void store(FloatVector vector, MemorySegment segment, long index, VectorMask<Float> inside) {
        vector.intoMemorySegment(known(segment), index << 2, ORDER, inside);
    }

    /**
     * The segment, known to the compiler as memory outside the heap. It would else believe the profile of the JDK's
     * method, which knows heap segments as well (interpreted code reinterprets vectors through them), make two paths
     * for each load and box what it loads.
     */
    static MemorySegment known(MemorySegment segment) {
        if (segment.getClass() != NATIVE) {
            throw new IllegalArgumentException("vectors are loaded from memory outside the heap only");
        }
        return segment;
    }

    static DoubleVector loadDoubles(MemorySegment segment, long index) {
        return DoubleVector.fromMemorySegment(DOUBLES, known(segment), index << 3, ORDER);
    }

    static void store(DoubleVector vector, MemorySegment segment, long index) {
        vector.intoMemorySegment(known(segment), index << 3, ORDER);
    }

    /** The largest multiple of the width that is not above count. */
    static int whole(int count) {
        return FLOATS.loopBound(count);
    }

    static int roundUp(int count) {
        return (count + WIDTH - 1) / WIDTH * WIDTH;
    }
}
