package headscope.figure;

import headscope.result.HeadMap;
import java.util.List;

/** Gate scores of all heads, per task: maps of layers x heads in two columns, on a scale from 0 to 1. */
public final class GatesFigure {
    private static final int COLUMNS = 2;

    private GatesFigure() {}

    /**
     * Panels in the order of the maps, titled like them; the colour bar is labelled with their unit.
     *
     * @param maps one or more; values are NaN or in [0, 1]
     */
    public static Figure of(List<HeadMap> maps, String caption) {
        ColorBar bar = new ColorBar(maps.getFirst().unit(), new Range(0, 1), Colormap.jet());
        return new Figure(HeadPanels.of(maps, bar), Math.min(maps.size(), COLUMNS), caption);
    }
}
