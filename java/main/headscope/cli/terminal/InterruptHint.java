package headscope.cli.terminal;

/** Prints a hint if the user stops the program (Ctrl-C, kill) before {@link #close}. */
public final class InterruptHint implements AutoCloseable {
    private final Thread hook;

    public InterruptHint(String hint) {
        this(hint, () -> {});
    }

    /** @param tidy runs after the hint is printed, while the program goes on until it ends */
    public InterruptHint(String hint, Runnable tidy) {
        this.hook = new Thread(() -> {
            System.err.printf("%n%s%n", hint);
            tidy.run();
        });
        Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException stopping) {
            // the program is being stopped, and the hint is printed
        }
    }
}
