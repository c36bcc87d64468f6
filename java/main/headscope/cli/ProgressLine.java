package headscope.cli;

import headscope.analysis.Progress;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows progress on standard error: on a terminal a bar with rate and remaining time, elsewhere a line per 10 % of the
 * work.
 */
final class ProgressLine implements Progress, AutoCloseable {
    private final String task;
    private final String unit;
    private final boolean terminal = System.console() != null && System.console().isTerminal();
    private ProgressBar bar;
    private int tenths;

    /** @param unit of the work, in the plural */
    ProgressLine(String task, String unit) {
        this.task = task;
        this.unit = unit;
    }

    @Override
    public void reached(int done, int of) {
        if (terminal) {
            if (bar == null) {
                bar = new ProgressBarBuilder()
                        .setTaskName(task)
                        .setInitialMax(of)
                        .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                        .setUpdateIntervalMillis(200)
                        .setUnit(" " + unit, 1)
                        .showSpeed()
                        .build();
            }
            bar.stepTo(done);
        } else if (done * 10L / of > tenths) {
            tenths = (int) (done * 10L / of);
            System.err.printf("%s: %d of %d%n", task, done, of);
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
