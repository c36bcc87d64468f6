package headscope.cli.terminal;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ends a command like its user's own wish if the program is stopped (Ctrl-C, kill): cleanly, and with status 0. The
 * command has {@value #SECONDS} seconds to end.
 */
public final class CleanStop implements AutoCloseable {
    private static final int SECONDS = 10;

    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook;

    /** @param stop asks the command to end; called by another thread */
    public CleanStop(Runnable stop) {
        this.hook = new Thread(() -> {
            stop.run();
            if (await()) {
                System.out.flush();
                Runtime.getRuntime().halt(0);
            }
        });
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private boolean await() {
        try {
            return ended.await(SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException stopped) {
            return false;
        }
    }

    /** The command has ended. */
    @Override
    public void close() {
        ended.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException stopping) {
            // The hook ends the program.
        }
    }
}
