package headscope.cli.terminal;

import headscope.analysis.Progress;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Shows progress on standard error: on a terminal a bar with rate and remaining time, elsewhere a line per 10 % of the
 * work. Rate and remaining time appear after a second of work, and do not count what an interrupted run has finished.
 */
public final class ProgressLine implements Progress, AutoCloseable {
    private static final int CELLS = 20;
    private static final double FRAME_SECONDS = 0.1;
    /** Minimum time between two lines about the same part. */
    private static final double LINE_SECONDS = 2;

    private static final double RATE_SECONDS = 1;

    private final String task;
    private final String unit;
    private final PrintStream out;
    private final boolean terminal;
    private final LongSupplier nanoseconds;
    private boolean computing;
    private long started;
    private long shown;
    private int first;
    private int done;
    private int of;
    /** Parts done after the finished ones. */
    private double within;
    private int tenths;
    private boolean drawn;

    /** @param unit of the work, in the plural */
    public ProgressLine(String task, String unit) {
        this(task, unit, System.err, System.console() != null && System.console().isTerminal(), System::nanoTime);
    }

    ProgressLine(String task, String unit, PrintStream out, boolean terminal, LongSupplier nanoseconds) {
        this.task = task;
        this.unit = unit;
        this.out = out;
        this.terminal = terminal;
        this.nanoseconds = nanoseconds;
        this.started = nanoseconds.getAsLong();
        this.shown = started;
    }

    @Override
    public void reached(int done, int of) {
        this.done = done;
        this.of = of;
        this.within = 0;
        show();
    }

    @Override
    public void within(double parts) {
        if (!computing) {
            computing = true;
            started = nanoseconds.getAsLong();
            first = done;
        }
        if (done < of) {
            within = Math.clamp(parts, 0, of - done);
            show();
        }
    }

    private void show() {
        if (terminal) {
            if (!drawn || done == of || secondsSince(shown) >= FRAME_SECONDS) {
                draw();
            }
            return;
        }
        int reached = (int) (position() * 10 / of);
        if (reached > tenths && (within == 0 || secondsSince(shown) >= LINE_SECONDS)) {
            tenths = reached;
            shown = nanoseconds.getAsLong();
            double ofNext = position() - whole();
            out.printf(Locale.ROOT, "%s: %d of %d%s%n", task, whole(), of,
                    ofNext == 0 ? "" : ", %.0f %% of the next".formatted(100 * ofNext));
        }
    }

    private void draw() {
        drawn = true;
        shown = nanoseconds.getAsLong();
        int cells = (int) (position() * CELLS / of);
        out.printf(Locale.ROOT, "\r%s %3.0f %% %s%s %d of %d %s%s\033[K", task, Math.floor(100 * position() / of),
                "\u2588".repeat(cells), "\u2591".repeat(CELLS - cells), whole(), of, unit, rate());
        out.flush();
    }

    private double position() {
        return done + within;
    }

    /** Number of parts that are done. */
    private int whole() {
        return (int) position();
    }

    /** Rate and remaining time; empty while too little is known. */
    private String rate() {
        double seconds = secondsSince(started);
        double parts = position() - first;
        if (seconds < RATE_SECONDS || parts <= 0) {
            return "";
        }
        double rate = parts / seconds;
        String speed = rate >= 0.5
                ? String.format(Locale.ROOT, rate < 10 ? ", %.1f %s/s" : ", %.0f %s/s", rate, unit)
                : String.format(Locale.ROOT, ", one in %.0f s", 1 / rate);
        return done == of ? speed : speed + ", " + duration(Math.round((of - position()) / rate)) + " left";
    }

    private static String duration(long seconds) {
        return seconds < 3600
                ? String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }

    private double secondsSince(long start) {
        return (nanoseconds.getAsLong() - start) / 1e9;
    }

    @Override
    public void close() {
        if (drawn) {
            out.println();
        }
    }
}
