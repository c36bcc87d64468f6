package headscope.figure;

import headscope.result.HeadMap;
import headscope.result.TokenMap;
import java.util.List;
import java.util.Optional;

/** Every head in a grid of layers x heads, and beside it one head's map of tokens, enlarged. */
public final class SaliencyFigure {
    private SaliencyFigure() {}

    /** What the grid shows of each head. */
    public sealed interface Overview {
        /** One colour per head. On the scale of the enlarged map if it is in the same unit, else on its own. */
        record Values(HeadMap map) implements Overview {}

        /**
         * A small map per head, on the scale of the enlarged one.
         *
         * @param side   rows and columns of a small map
         * @param values [layers, heads, side, side], row-major: receiving tokens downwards, source tokens to the right
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
     * Layers, heads counted from 1 in the picture. Scales run from 0 to a round number.
     *
     * @param overview  values are NaN or at least 0
     * @param layer     of the enlarged head, from 0
     * @param head      of the enlarged head, from 0
     * @param map       its values are at least 0
     * @param transpose false: receiving tokens downwards, source tokens to the right; true: the other way round
     */
    public static Figure of(
            Overview overview, int layer, int head, TokenMap map, boolean transpose, String caption) {
        double largest = largest(map.values());
        Panel grid;
        ColorBar bar;
        switch (overview) {
            case Overview.Values heads when !heads.map().unit().equals(map.unit()) -> {
                bar = bar(map.unit(), largest);
                grid = grid(heads.map(), bar(heads.map().unit(), largest(heads.map().values())));
            }
            case Overview.Values heads -> {
                bar = bar(map.unit(), Math.max(largest, largest(heads.map().values())));
                grid = grid(heads.map(), bar);
            }
            case Overview.Thumbnails heads -> {
                bar = bar(map.unit(), Math.max(largest, largest(heads.values())));
                grid = grid(heads, transpose, bar);
            }
        }
        int tokens = map.tokens().size();
        List<String> names = TokenNames.of(map.tokens());
        List<Axis.Group> groups = map.groups().stream()
                .map(group -> new Axis.Group(group.label(), group.start(), group.end()))
                .toList();
        Axis source = new Axis.Named("source token", names, groups);
        Axis receiving = new Axis.Named("receiving token", names, groups);
        float[] values = transpose ? transposed(map.values(), tokens) : map.values();
        Panel enlarged = new Panel(map.title(), transpose ? receiving : source, transpose ? source : receiving,
                Optional.of(bar), List.of(new Mark.Heatmap(tokens, tokens, values)));
        return new Figure(List.of(grid, enlarged), 2, Optional.of(new Mark.Cell(layer, head)), caption);
    }

    private static Panel grid(HeadMap map, ColorBar bar) {
        return grid(map.title(), map.layers(), map.heads(), bar,
                new Mark.Heatmap(map.layers(), map.heads(), map.values()));
    }

    private static Panel grid(Overview.Thumbnails heads, boolean transpose, ColorBar bar) {
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
        return grid("", heads.layers(), heads.heads(), bar, new Mark.Heatmap(rows, columns, cells));
    }

    private static Panel grid(String title, int layers, int heads, ColorBar bar, Mark.Heatmap map) {
        return new Panel(title, new Axis.Numbered("head", heads, 1), new Axis.Numbered("layer", layers, 1),
                Optional.of(bar), List.of(map, new Mark.Separators()));
    }

    private static ColorBar bar(String unit, double largest) {
        return new ColorBar(unit, Range.upTo(largest), Colormap.viridis());
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = value > largest ? value : largest; // NaN compares false
        }
        return largest;
    }

    private static float[] transposed(float[] values, int side) {
        float[] turned = new float[values.length];
        for (int row = 0; row < side; row++) {
            for (int column = 0; column < side; column++) {
                turned[column * side + row] = values[row * side + column];
            }
        }
        return turned;
    }
}
