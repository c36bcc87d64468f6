package headscope.backend;

/** Operations that a GPU has recorded: one call starts all of them, on the memory with which they were recorded. */
public interface Recording extends AutoCloseable {
    void launch();

    /** Frees the temporary memory of the operations. */
    @Override
    void close();
}
