package headscope.cli;

/** Prints a hint if the user stops the program (Ctrl-C, kill) before {@link #close}. */
final class InterruptHint implements AutoCloseable {
    private final Thread hook;

    InterruptHint(String hint) {
        this.hook = new Thread(() -> System.err.printf("%n%s%n", hint));
        Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(hook);
    }
}
