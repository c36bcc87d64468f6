package headscope.backend.cpu;

import java.lang.foreign.MemorySegment;

/** Divides the elements of a contiguous fp32 segment among workers. */
final class ParallelLoop {
    /** Segments of fewer elements are processed by one thread. */
    private static final int SMALL = 32 * 1024;

    private final Workers workers;

    ParallelLoop(Workers workers) {
        this.workers = workers;
    }

    interface Range {
        /** Elements from to to - 1. */
        void run(long from, long to);
    }

    /** Calls once per row of x [rows, width]. */
    void rows(MemorySegment x, int width, Range row) {
        long elements = x.byteSize() / Float.BYTES;
        long rows = elements / width;
        int pieces = elements < SMALL ? 1 : workers.count();
        workers.each(pieces, piece -> {
            for (long r = rows * piece / pieces; r < rows * (piece + 1) / pieces; r++) {
                row.run(r * width, (r + 1) * width);
            }
        });
    }

    /** Calls with ranges whose borders are multiples of the vector width. */
    void elements(MemorySegment x, Range range) {
        long elements = x.byteSize() / Float.BYTES;
        int pieces = elements < SMALL ? 1 : workers.count();
        long step = (elements / pieces + Simd.WIDTH) / Simd.WIDTH * Simd.WIDTH;
        workers.each(pieces, piece ->
                range.run(Math.min(elements, piece * step), Math.min(elements, (piece + 1) * step)));
    }
}
