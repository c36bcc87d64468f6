package headscope.cli;

/** Says something where the user stops the program (Ctrl-C, kill) before {@link #close}. */
final class Interruption implements AutoCloseable {
    private final Thread hint;

    Interruption(String message) {
        this.hint = new Thread(() -> System.err.printf("%n%s%n", message));
        Runtime.getRuntime().addShutdownHook(hint);
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(hint);
    }
}
