package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/**
 * Products of matrices so small that OpenBLAS takes longer to be called and to pack them than to multiply. An element is
 * a chain of fused multiply-adds in the order of k, starting from 0, whatever the sizes: as in OpenBLAS's kernels for
 * AVX-512, if k is small.
 */
final class TileProduct {
    // Elements are read and written as unaligned floats, because the others are checked for their alignment each time.

    private TileProduct() {}

    /**
     * c [m, n] = alpha * a b, or c + alpha * a b; a [m, k], possibly transposed, b [k, n] and c are not.
     *
     * @param add whether c is added
     */
    static void multiply(int m, int n, int k, float alpha, Matrix a, Matrix b, boolean add, Matrix c) {
        int rowStep = a.transposed() ? 1 : a.stride();
        int step = a.transposed() ? a.stride() : 1;
        for (int column = 0; column < n; column += columns(n - column)) {
            for (int row = 0; row < m; row += 4) {
                // Beyond the last row, it is computed again.
                int row1 = Math.min(row + 1, m - 1);
                int row2 = Math.min(row + 2, m - 1);
                int row3 = Math.min(row + 3, m - 1);
                long a0 = a.offset() + (long) row * rowStep;
                long a1 = a.offset() + (long) row1 * rowStep;
                long a2 = a.offset() + (long) row2 * rowStep;
                long a3 = a.offset() + (long) row3 * rowStep;
                long c0 = c.offset() + (long) row * c.stride() + column;
                long c1 = c.offset() + (long) row1 * c.stride() + column;
                long c2 = c.offset() + (long) row2 * c.stride() + column;
                long c3 = c.offset() + (long) row3 * c.stride() + column;
                switch (columns(n - column) / Simd.WIDTH) {
                    case 2 -> pair(k, alpha, a.memory(), a0, a1, a2, a3, step, b.memory(), b.offset() + column,
                            b.stride(), add, c.memory(), c0, c1, c2, c3);
                    case 1 -> one(k, alpha, a.memory(), a0, a1, a2, a3, step, b.memory(), b.offset() + column,
                            b.stride(), add, c.memory(), c0, c1, c2, c3);
                    default -> part(n - column, k, alpha, a.memory(), a0, a1, a2, a3, step, b.memory(),
                            b.offset() + column, b.stride(), add, c.memory(), c0, c1, c2, c3);
                }
            }
        }
    }

    /** Columns that are computed together if this many are left. */
    private static int columns(int left) {
        return left >= 2 * Simd.WIDTH ? 2 * Simd.WIDTH : Math.min(left, Simd.WIDTH);
    }

    /** Four rows and two registers of columns. */
    private static void pair(
            int k, float alpha, MemorySegment a, long a0, long a1, long a2, long a3, int aStep, MemorySegment b, long b0,
            int bStep, boolean add, MemorySegment c, long c0, long c1, long c2, long c3) {
        FloatVector left0 = FloatVector.zero(Simd.FLOATS);
        FloatVector left1 = FloatVector.zero(Simd.FLOATS);
        FloatVector left2 = FloatVector.zero(Simd.FLOATS);
        FloatVector left3 = FloatVector.zero(Simd.FLOATS);
        FloatVector right0 = FloatVector.zero(Simd.FLOATS);
        FloatVector right1 = FloatVector.zero(Simd.FLOATS);
        FloatVector right2 = FloatVector.zero(Simd.FLOATS);
        FloatVector right3 = FloatVector.zero(Simd.FLOATS);
        long at = b0;
        long from = 0;
        for (int i = 0; i < k; i++) {
            FloatVector left = Simd.load(b, at);
            FloatVector right = Simd.load(b, at + Simd.WIDTH);
            FloatVector factor0 = broadcast(a, a0 + from);
            FloatVector factor1 = broadcast(a, a1 + from);
            FloatVector factor2 = broadcast(a, a2 + from);
            FloatVector factor3 = broadcast(a, a3 + from);
            left0 = left.fma(factor0, left0);
            right0 = right.fma(factor0, right0);
            left1 = left.fma(factor1, left1);
            right1 = right.fma(factor1, right1);
            left2 = left.fma(factor2, left2);
            right2 = right.fma(factor2, right2);
            left3 = left.fma(factor3, left3);
            right3 = right.fma(factor3, right3);
            at += bStep;
            from += aStep;
        }
        if (add) {
            FloatVector factor = FloatVector.broadcast(Simd.FLOATS, alpha);
            left0 = left0.fma(factor, Simd.load(c, c0));
            left1 = left1.fma(factor, Simd.load(c, c1));
            left2 = left2.fma(factor, Simd.load(c, c2));
            left3 = left3.fma(factor, Simd.load(c, c3));
            right0 = right0.fma(factor, Simd.load(c, c0 + Simd.WIDTH));
            right1 = right1.fma(factor, Simd.load(c, c1 + Simd.WIDTH));
            right2 = right2.fma(factor, Simd.load(c, c2 + Simd.WIDTH));
            right3 = right3.fma(factor, Simd.load(c, c3 + Simd.WIDTH));
        } else {
            left0 = left0.mul(alpha);
            left1 = left1.mul(alpha);
            left2 = left2.mul(alpha);
            left3 = left3.mul(alpha);
            right0 = right0.mul(alpha);
            right1 = right1.mul(alpha);
            right2 = right2.mul(alpha);
            right3 = right3.mul(alpha);
        }
        Simd.store(left0, c, c0);
        Simd.store(left1, c, c1);
        Simd.store(left2, c, c2);
        Simd.store(left3, c, c3);
        Simd.store(right0, c, c0 + Simd.WIDTH);
        Simd.store(right1, c, c1 + Simd.WIDTH);
        Simd.store(right2, c, c2 + Simd.WIDTH);
        Simd.store(right3, c, c3 + Simd.WIDTH);
    }

    /** Four rows and one register of columns. */
    private static void one(
            int k, float alpha, MemorySegment a, long a0, long a1, long a2, long a3, int aStep, MemorySegment b, long b0,
            int bStep, boolean add, MemorySegment c, long c0, long c1, long c2, long c3) {
        FloatVector sum0 = FloatVector.zero(Simd.FLOATS);
        FloatVector sum1 = FloatVector.zero(Simd.FLOATS);
        FloatVector sum2 = FloatVector.zero(Simd.FLOATS);
        FloatVector sum3 = FloatVector.zero(Simd.FLOATS);
        long at = b0;
        long from = 0;
        for (int i = 0; i < k; i++) {
            FloatVector values = Simd.load(b, at);
            sum0 = values.fma(broadcast(a, a0 + from), sum0);
            sum1 = values.fma(broadcast(a, a1 + from), sum1);
            sum2 = values.fma(broadcast(a, a2 + from), sum2);
            sum3 = values.fma(broadcast(a, a3 + from), sum3);
            at += bStep;
            from += aStep;
        }
        if (add) {
            FloatVector factor = FloatVector.broadcast(Simd.FLOATS, alpha);
            sum0 = sum0.fma(factor, Simd.load(c, c0));
            sum1 = sum1.fma(factor, Simd.load(c, c1));
            sum2 = sum2.fma(factor, Simd.load(c, c2));
            sum3 = sum3.fma(factor, Simd.load(c, c3));
        } else {
            sum0 = sum0.mul(alpha);
            sum1 = sum1.mul(alpha);
            sum2 = sum2.mul(alpha);
            sum3 = sum3.mul(alpha);
        }
        Simd.store(sum0, c, c0);
        Simd.store(sum1, c, c1);
        Simd.store(sum2, c, c2);
        Simd.store(sum3, c, c3);
    }

    /** Four rows and fewer columns than a register has. */
    private static void part(
            int columns, int k, float alpha, MemorySegment a, long a0, long a1, long a2, long a3, int aStep,
            MemorySegment b, long b0, int bStep, boolean add, MemorySegment c, long c0, long c1, long c2, long c3) {
        VectorMask<Float> inside = Simd.inside(0, columns);
        FloatVector sum0 = FloatVector.zero(Simd.FLOATS);
        FloatVector sum1 = FloatVector.zero(Simd.FLOATS);
        FloatVector sum2 = FloatVector.zero(Simd.FLOATS);
        FloatVector sum3 = FloatVector.zero(Simd.FLOATS);
        long at = b0;
        long from = 0;
        for (int i = 0; i < k; i++) {
            FloatVector values = Simd.load(b, at, inside);
            sum0 = values.fma(broadcast(a, a0 + from), sum0);
            sum1 = values.fma(broadcast(a, a1 + from), sum1);
            sum2 = values.fma(broadcast(a, a2 + from), sum2);
            sum3 = values.fma(broadcast(a, a3 + from), sum3);
            at += bStep;
            from += aStep;
        }
        if (add) {
            FloatVector factor = FloatVector.broadcast(Simd.FLOATS, alpha);
            sum0 = sum0.fma(factor, Simd.load(c, c0, inside));
            sum1 = sum1.fma(factor, Simd.load(c, c1, inside));
            sum2 = sum2.fma(factor, Simd.load(c, c2, inside));
            sum3 = sum3.fma(factor, Simd.load(c, c3, inside));
        } else {
            sum0 = sum0.mul(alpha);
            sum1 = sum1.mul(alpha);
            sum2 = sum2.mul(alpha);
            sum3 = sum3.mul(alpha);
        }
        Simd.store(sum0, c, c0, inside);
        Simd.store(sum1, c, c1, inside);
        Simd.store(sum2, c, c2, inside);
        Simd.store(sum3, c, c3, inside);
    }

    private static FloatVector broadcast(MemorySegment a, long index) {
        return FloatVector.broadcast(Simd.FLOATS, Simd.known(a).getAtIndex(JAVA_FLOAT_UNALIGNED, index));
    }

    /** destination [columns, stride] = the transpose of source [rows, columns]. */
    static void transpose(int rows, int columns, Matrix source, MemorySegment destination, int stride) {
        int row = 0;
        for (; row + 4 <= rows; row += 4) {
            transposeFour(columns, source.fromRow(row), destination, row, stride);
        }
        MemorySegment from = source.memory();
        for (; row < rows; row++) {
            long at = source.fromRow(row).offset();
            for (int column = 0; column < columns; column++) {
                destination.setAtIndex(
                        JAVA_FLOAT_UNALIGNED, (long) column * stride + row, from.getAtIndex(JAVA_FLOAT_UNALIGNED, at + column));
            }
        }
    }

    private static void transposeFour(int columns, Matrix source, MemorySegment destination, int first, int stride) {
        MemorySegment from = Simd.known(source.memory());
        MemorySegment to = Simd.known(destination);
        long at0 = source.offset();
        long at1 = at0 + source.stride();
        long at2 = at1 + source.stride();
        long at3 = at2 + source.stride();
        long at = first;
        for (int column = 0; column < columns; column++) {
            float x0 = from.getAtIndex(JAVA_FLOAT_UNALIGNED, at0 + column);
            float x1 = from.getAtIndex(JAVA_FLOAT_UNALIGNED, at1 + column);
            float x2 = from.getAtIndex(JAVA_FLOAT_UNALIGNED, at2 + column);
            float x3 = from.getAtIndex(JAVA_FLOAT_UNALIGNED, at3 + column);
            to.setAtIndex(JAVA_FLOAT_UNALIGNED, at, x0);
            to.setAtIndex(JAVA_FLOAT_UNALIGNED, at + 1, x1);
            to.setAtIndex(JAVA_FLOAT_UNALIGNED, at + 2, x2);
            to.setAtIndex(JAVA_FLOAT_UNALIGNED, at + 3, x3);
            at += stride;
        }
    }
}
