package headscope.result;

/** An order in which heads are changed one by one, starting from G+, to check fitted gates. */
public enum GateCurve {
    /** Close heads, those with the lowest gate of G- first. */
    SHUT(0, false),
    /** Open heads, those with the lowest gate of G+ first. */
    OPEN(1, false),
    /** Close heads in random order. */
    SHUT_RANDOM(0, true),
    /** Open heads in random order. */
    OPEN_RANDOM(1, true);

    /** The gate that changed heads get. */
    public final float gate;

    public final boolean random;

    GateCurve(float gate, boolean random) {
        this.gate = gate;
        this.random = random;
    }
}
