package headscope.figure;

import headscope.result.HeadMap;
import java.util.List;

/** How much each head matters to each of several functions: a map per function, layers x heads, on one scale. */
public final class FunctionsFigure {
    /** Panels per row, if there are more than so many. */
    private static final int COLUMNS = 4;

    private static final int DECIMALS = 4;

    private FunctionsFigure() {}

    /**
     * Panels in the order of the maps, each under its map's title; the bar is labelled with their unit.
     *
     * @param functions one or more; values are NaN or at least 0
     * @param top       above 0; values above have its colour, and where there are any its tick has a plus
     */
    public static Figure of(List<HeadMap> functions, double top, String caption) {
        ColorBar bar = new ColorBar(
                functions.getFirst().unit(), new Range(0, top), Colormap.viridis(), DECIMALS, anyAbove(functions, (float) top));
        return new Figure(HeadPanels.of(functions, bar), columns(functions.size()), caption);
    }

    private static boolean anyAbove(List<HeadMap> maps, float top) {
        for (HeadMap map : maps) {
            for (float value : map.values()) {
                if (value > top) {
                    return true;
                }
            }
        }
        return false;
    }

    /** As few rows as so many columns allow, and then as few columns: 5 panels stand as 3 and 2. */
    private static int columns(int panels) {
        return Math.ceilDiv(panels, Math.ceilDiv(panels, COLUMNS));
    }
}
