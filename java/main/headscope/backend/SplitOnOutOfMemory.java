package headscope.backend;

/** Runs work over many heads, rows or texts at once; if the device is out of memory, over each half separately, recursively. */
public final class SplitOnOutOfMemory {
    /** Work on entries first to first + count - 1. Allocates all memory before it changes anything. */
    public interface Work {
        void run(int first, int count);
    }

    private SplitOnOutOfMemory() {}

    /** @throws DeviceMemoryException if there is not enough memory for one entry */
    public static void run(int count, Work work) {
        if (count > 0) {
            run(0, count, work);
        }
    }

    private static void run(int first, int count, Work work) {
        try {
            work.run(first, count);
        } catch (DeviceMemoryException full) {
            if (count == 1) {
                throw full;
            }
            int half = count / 2;
            run(first, half, work);
            run(first + half, count - half, work);
        }
    }
}
