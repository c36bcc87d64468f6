package headscope;

/**
 * How long tests wait for programs, pages and threads. Every wait ends when what it waits for is there, however busy the machine is;
 * threads that draw for viewers give way to all others, and may wait for minutes.
 */
public final class Patience {
    public static final int SECONDS = 600;

    private Patience() {}
}
