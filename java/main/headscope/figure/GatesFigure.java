package headscope.figure;

import headscope.result.HeadMap;
import java.util.List;

/** How far each head's gate matters to each of several tasks: maps in two columns, layers x heads, from 0 to 1. */
public final class GatesFigure {
    private static final int COLUMNS = 2;

    private GatesFigure() {}

    /**
     * Panels in the order of the maps, each under its map's title; the bar is labelled with their unit.
     *
     * @param maps one or more; values are NaN or in [0, 1]
     */
    public static Figure of(List<HeadMap> maps, String caption) {
        ColorBar bar = new ColorBar(maps.getFirst().unit(), new Range(0, 1), Colormap.jet());
        return new Figure(HeadPanels.of(maps, bar), Math.min(maps.size(), COLUMNS), caption);
    }
}
