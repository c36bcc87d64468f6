package headscope.backend.cpu;

import java.lang.foreign.MemorySegment;

/** Walks through rows [rows, width] beside rows [rows, 2 * width] of gate and up. */
final class GatedRows {
    private GatedRows() {}

    interface Part {
        /**
         * Elements of one row.
         *
         * @param first index in [rows, width]
         * @param gate  index of the gate's element in [rows, 2 * width]; that of up is width elements behind
         */
        void run(long first, long gate, int count);
    }

    /** Calls for parts of rows, in parallel. */
    static void each(ParallelLoop loop, MemorySegment rows, int width, Part part) {
        loop.elements(rows, (from, to) -> {
            long end;
            for (long first = from; first < to; first = end) {
                long row = first / width;
                end = Math.min(to, (row + 1) * width);
                part.run(first, first + row * width, (int) (end - first));
            }
        });
    }
}
