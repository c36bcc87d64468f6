package headscope.figure;

import headscope.result.HeadMap;
import headscope.result.TokenMap;
import headscope.result.TokenNames;
import java.util.List;
import java.util.Optional;

/** A grid of layers x heads, and next to it the token x token map of one head. */
public final class SaliencyFigure {
    /** Below this share of the grid's largest value, the enlarged map would be dark on the grid's scale. */
    private static final double DARK = 0.25;

    private SaliencyFigure() {}

    /** The content of the grid's cells. */
    public sealed interface Overview {
        /** One value per head. */
        record Values(HeadMap map) implements Overview {}

        /**
         * A small token map per head, in the unit of the enlarged one.
         *
         * @param side   rows and columns of a small map
         * @param values [layers, heads, side, side], row-major: receiving tokens as rows, source tokens as columns
         */
        record Thumbnails(int layers, int heads, int side, float[] values) implements Overview {
            public Thumbnails {
                if (side < 1 || values.length != Math.multiplyExact(layers * heads, side * side)) {
                    throw new IllegalArgumentException("%d values for %d layers x %d heads of %d x %d"
                            .formatted(values.length, layers, heads, side, side));
                }
                values = values.clone();
            }
        }
    }

    /**
     * The picture counts layers and heads from 1. Colour scales run from 0 to a round number. Grid and map share a scale
     * if they have the same unit and the map's largest value is at least a quarter of the grid's.
     *
     * @param overview  values are NaN or at least 0
     * @param layer     layer of the enlarged head, from 0
     * @param head      index of the enlarged head in its layer, from 0
     * @param map       token map of the enlarged head; values are at least 0
     * @param transpose false: receiving tokens as rows, source tokens as columns; true: the reverse
     */
    public static Figure of(
            Overview overview, int layer, int head, TokenMap map, boolean transpose, String caption) {
        int tokens = map.tokens().size();
        List<String> names = TokenNames.of(map.tokens());
        List<Axis.Group> groups = map.groups().stream()
                .map(group -> new Axis.Group(group.label(), group.start(), group.end()))
                .toList();
        Axis source = new Axis.Named("source token", names, groups);
        Axis receiving = new Axis.Named("receiving token", names, groups);
        Mark.Heatmap values = new Mark.Heatmap(tokens, tokens, map.values());
        Mark.Heatmap detail = transpose ? values.transposed() : values;
        Mark.Heatmap cells = switch (overview) {
            case Overview.Values heads -> Mark.Heatmap.of(heads.map());
            case Overview.Thumbnails heads -> tiled(heads, transpose);
        };
        String gridUnit = overview instanceof Overview.Values heads ? heads.map().unit() : map.unit();
        ColorBar gridBar;
        ColorBar mapBar;
        if (!gridUnit.equals(map.unit())) {
            gridBar = bar(gridUnit, cells.largest());
            mapBar = bar(map.unit(), detail.largest());
        } else if (detail.largest() < DARK * cells.largest()) {
            gridBar = bar(gridUnit + ", all heads", cells.largest());
            mapBar = bar("%s, %s".formatted(map.unit(), map.title()), detail.largest());
        } else {
            gridBar = bar(gridUnit, Math.max(detail.largest(), cells.largest()));
            mapBar = gridBar;
        }
        Panel grid = switch (overview) {
            case Overview.Values heads -> grid(heads.map().title(), cells.rows(), cells.columns(), gridBar, cells);
            case Overview.Thumbnails heads -> grid("", heads.layers(), heads.heads(), gridBar, cells);
        };
        Panel enlarged = new Panel(map.title(), transpose ? receiving : source, transpose ? source : receiving,
                Optional.of(mapBar), List.of(detail));
        return new Figure(List.of(grid, enlarged), 2, Optional.of(new Mark.Cell(layer, head)), caption);
    }

    /** The small maps in one map of [layers * side, heads * side]. */
    static Mark.Heatmap tiled(Overview.Thumbnails heads, boolean transpose) {
        int side = heads.side();
        int rows = heads.layers() * side;
        int columns = heads.heads() * side;
        float[] values = heads.values();
        float[] cells = new float[values.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                int head = row / side * heads.heads() + column / side;
                int down = row % side;
                int right = column % side;
                cells[row * columns + column] =
                        values[(head * side + (transpose ? right : down)) * side + (transpose ? down : right)];
            }
        }
        return new Mark.Heatmap(rows, columns, cells);
    }

    private static Panel grid(String title, int layers, int heads, ColorBar bar, Mark.Heatmap map) {
        return new Panel(title, new Axis.Numbered("head", heads, 1), new Axis.Numbered("layer", layers, 1),
                Optional.of(bar), List.of(map, new Mark.Separators()));
    }

    private static ColorBar bar(String unit, double largest) {
        return new ColorBar(unit, Range.upTo(largest), Colormap.viridis());
    }
}
