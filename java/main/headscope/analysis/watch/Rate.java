package headscope.analysis.watch;

import java.util.ArrayDeque;
import java.util.Deque;

/** Passes per second, over the last ones; the time between passes, such as a pause, does not count. */
final class Rate {
    private static final int PASSES = 64;

    private final Deque<Long> nanos = new ArrayDeque<>();
    private long begun;
    private boolean counted;

    /** @param counts whether this pass reads a new token rather than the prompt */
    void begin(boolean counts) {
        begun = System.nanoTime();
        counted = counts;
    }

    void end() {
        if (counted) {
            nanos.addLast(System.nanoTime() - begun);
            if (nanos.size() > PASSES) {
                nanos.removeFirst();
            }
        }
    }

    /** NaN before the first pass over a new token. */
    double perSecond() {
        long total = nanos.stream().mapToLong(Long::longValue).sum();
        return total == 0 ? Double.NaN : 1e9 * nanos.size() / total;
    }
}
