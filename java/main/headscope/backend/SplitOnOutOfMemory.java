package headscope.backend;

/** Work over many heads, rows or texts: all at once, or where memory does not suffice, half of them at a time. */
public final class SplitOnOutOfMemory {
    /** What is done with entries first .. first + count - 1; allocates before it changes anything. */
    public interface Work {
        void run(int first, int count);
    }

    private SplitOnOutOfMemory() {}

    /** @throws DeviceMemoryException if there is no room even for one */
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
