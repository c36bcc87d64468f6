package headscope.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;

/** Vectors of the processor's preferred width, loaded from and stored to segments. Indices count elements. */
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

    /** Mask of the lanes whose elements, from index on, lie before end. */
    static VectorMask<Float> inside(long index, long end) {
        return FLOATS.indexInRange(index, end);
    }

    /** Lanes outside the mask are 0. */
    static FloatVector load(MemorySegment segment, long index, VectorMask<Float> inside) {
        return FloatVector.fromMemorySegment(FLOATS, known(segment), index << 2, ORDER, inside);
    }

    static void store(FloatVector vector, MemorySegment segment, long index, VectorMask<Float> inside) {
        vector.intoMemorySegment(known(segment), index << 2, ORDER, inside);
    }

    /**
     * Returns the segment after telling the compiler that it is native memory. Otherwise the compiler relies on the
     * type profile of the JDK's method, which includes heap segments (interpreted code reinterprets vectors through
     * them), generates two paths per load and boxes the loaded vector.
     */
    static MemorySegment known(MemorySegment segment) {
        if (segment.getClass() != NATIVE) {
            throw new IllegalArgumentException("vectors are loaded from native memory only");
        }
        return segment;
    }

    static DoubleVector loadDoubles(MemorySegment segment, long index) {
        return DoubleVector.fromMemorySegment(DOUBLES, known(segment), index << 3, ORDER);
    }

    static void store(DoubleVector vector, MemorySegment segment, long index) {
        vector.intoMemorySegment(known(segment), index << 3, ORDER);
    }

    /** Lanes outside the mask are 0. */
    static DoubleVector loadDoubles(MemorySegment segment, long index, VectorMask<Double> inside) {
        return DoubleVector.fromMemorySegment(DOUBLES, known(segment), index << 3, ORDER, inside);
    }

    static void store(DoubleVector vector, MemorySegment segment, long index, VectorMask<Double> inside) {
        vector.intoMemorySegment(known(segment), index << 3, ORDER, inside);
    }

    /** The largest multiple of the width that is at most count. */
    static int whole(int count) {
        return FLOATS.loopBound(count);
    }

    /** The smallest multiple of the width that is at least count. */
    static int roundUp(int count) {
        return (count + WIDTH - 1) / WIDTH * WIDTH;
    }
}
