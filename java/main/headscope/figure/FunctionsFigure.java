package headscope.figure;

import headscope.result.HeadMap;
import java.util.List;

/** The importance of each head for each of several functions: one map of layers x heads per function, on one scale. */
public final class FunctionsFigure {
    private static final int MAX_COLUMNS = 4;

    private static final int DECIMALS = 4;

    private FunctionsFigure() {}

    /**
     * Panels in the order of the maps, titled like them; the colour bar is labelled with their unit.
     *
     * @param functions one or more; values are NaN or at least 0
     * @param top       upper end of the colour bar, above 0; if a value exceeds it, the bar is open
     */
    public static Figure of(List<HeadMap> functions, double top, String caption) {
        boolean open = functions.stream().anyMatch(map -> Mark.Heatmap.of(map).largest() > (float) top);
        ColorBar bar = new ColorBar(
                functions.getFirst().unit(), new Range(0, top), Colormap.viridis(), DECIMALS, open);
        return new Figure(HeadPanels.of(functions, bar), columns(functions.size()), caption);
    }

    /** The fewest rows that {@link #MAX_COLUMNS} allows, then the fewest columns: 5 panels become rows of 3 and 2. */
    static int columns(int panels) {
        return Math.ceilDiv(panels, Math.ceilDiv(panels, MAX_COLUMNS));
    }
}
