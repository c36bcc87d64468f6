package headscope.live.screen;

/**
 * How far the text is scrolled, downwards if positive.
 *
 * @param lines of the text
 * @param pages of the panel less one line
 */
public record TextMove(int lines, int pages) {
    private static final int FAR = 1 << 24; // more pages than any text has

    public static final TextMove PAGE_UP = new TextMove(0, -1);
    public static final TextMove PAGE_DOWN = new TextMove(0, 1);
    public static final TextMove START = new TextMove(0, -FAR);
    public static final TextMove END = new TextMove(0, FAR);
}
