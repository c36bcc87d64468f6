package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.VectorOperators;

/** Column sums per head and stripe of rows, fp64 [heads, stripes, keys]; stripes are added in order. */
record ColumnSums(MemorySegment memory, int stripes, int keys) {
    static long bytes(int heads, int stripes, int keys) {
        return (long) heads * stripes * keys * Double.BYTES;
    }

    /** The sums [keys] of one stripe, set to 0. */
    MemorySegment cleared(int head, int stripe) {
        return memory.asSlice(bytes(1, 1, keys) * (head * stripes + stripe), bytes(1, 1, keys)).fill((byte) 0);
    }

    /** The sum of before and of all stripes' sums of a key, in this order. */
    double sum(double before, int head, int key) {
        double sum = before;
        for (int stripe = 0; stripe < stripes; stripe++) {
            sum += memory.getAtIndex(JAVA_DOUBLE, (long) (head * stripes + stripe) * keys + key);
        }
        return sum;
    }

    /** sums[first + j] += sum of column j of block [rows, stride], for j &lt; width; the stride is padded. */
    static void add(MemorySegment sums, int first, MemorySegment block, int rows, int stride, int width) {
        for (int column = 0; column < width; column += Simd.WIDTH) {
            addColumns(sums, first + column, block, column, rows, stride, Math.min(Simd.WIDTH, width - column));
        }
    }

    /**
     * Adds at most as many columns as a register holds. A method of its own, because JDK 25 compiled the two nested loops ten times
     * during a short run, up to 50 ms each.
     */
    private static void addColumns(
            MemorySegment sums, int first, MemorySegment block, int column, int rows, int stride, int width) {
        int half = Simd.DOUBLES.length();
        var insideLow = Simd.DOUBLES.indexInRange(0, width);
        var insideHigh = Simd.DOUBLES.indexInRange(half, width);
        var low = Simd.loadDoubles(sums, first, insideLow);
        var high = Simd.loadDoubles(sums, first + half, insideHigh);
        for (int r = 0; r < rows; r++) {
            var values = Simd.load(block, (long) r * stride + column);
            low = low.add(values.convertShape(VectorOperators.F2D, Simd.DOUBLES, 0));
            high = high.add(values.convertShape(VectorOperators.F2D, Simd.DOUBLES, 1));
        }
        Simd.store(low, sums, first, insideLow);
        Simd.store(high, sums, first + half, insideHigh);
    }
}
