package headscope.render.screen;

import headscope.figure.Colormap;
import headscope.figure.Range;
import headscope.render.Box;
import headscope.render.Label;
import headscope.render.Stroke;
import java.util.List;

/**
 * One frame of a screen, as data.
 *
 * @param width      in pixels
 * @param height     in pixels
 * @param background 0xRRGGBB, sRGB
 * @param parts      in drawing order
 */
public record Scene(int width, int height, int background, List<Part> parts) {
    public Scene {
        parts = List.copyOf(parts);
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("a screen of %d x %d pixels".formatted(width, height));
        }
    }

    /** What is drawn with one draw call. */
    public sealed interface Part {}

    public record Fills(List<Fill> fills) implements Part {
        public Fills {
            fills = List.copyOf(fills);
        }
    }

    public record Strokes(List<Stroke> strokes) implements Part {
        public Strokes {
            strokes = List.copyOf(strokes);
        }
    }

    public record Texts(List<Label> labels) implements Part {
        public Texts {
            labels = List.copyOf(labels);
        }
    }

    /**
     * A grid of square maps, one row per layer; or one map, as a grid of one.
     *
     * @param values  of all maps
     * @param cells   cells per side that a map shows, from its upper left corner
     * @param box     the part of the picture that shows the grid
     * @param originX where the left edge of the box lies on the zoomed grid, in pixels
     * @param originY where its upper edge lies
     * @param pitch   distance from one map to the next on the zoomed grid, in pixels
     * @param gap     part of the pitch between two maps
     * @param first   the first column of cells that is shown
     * @param column  the column of cells that alone fills each map, or -1
     * @param row     the row of cells that alone fills each map, or -1
     * @param scale   from values to colours
     * @param hidden  0xRRGGBB, sRGB, of columns before the first
     * @param empty   0xRRGGBB, sRGB, between the maps
     */
    public record Cells(
            CellValues values, int cells, Box box, double originX, double originY, double pitch, double gap, int first,
            int column, int row, Scale scale, int hidden, int empty) implements Part {
        public Cells {
            if (cells < 1 || cells > values.side() || !(gap >= 0 && gap < pitch)) {
                throw new IllegalArgumentException("%d of %d cells, pitch %s with a gap of %s"
                        .formatted(cells, values.side(), pitch, gap));
            }
        }
    }

    /**
     * Colours of values.
     *
     * @param range above 0 if the scale is logarithmic
     */
    public record Scale(Colormap colormap, Range range, boolean log) {
        public Scale {
            if (log && range.min() <= 0) {
                throw new IllegalArgumentException("a logarithmic scale from " + range.min());
            }
        }
    }
}
