package headscope.render;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.figure.Axis;
import headscope.figure.ColorBar;
import headscope.figure.Colormap;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.figure.Range;
import headscope.render.layout.FigureSize;
import headscope.render.layout.Layout;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class HeatmapPassTest {
    private static final int DPI = 96;

    @ParameterizedTest
    @CsvSource({"1,1", "2,3", "12,12", "28,24", "32,32", "2,128", "31,127", "469,1000"})
    void everyPixelHasTheColourOfItsCell(int rows, int columns) {
        Figure figure = figure(rows, columns);
        Box box = Layout.of(figure, FigureSize.of(96), new Font()).panels().getFirst();
        Image image;
        try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
            image = renderer.image(figure, DPI);
        }
        Mark.Heatmap map = (Mark.Heatmap) figure.panels().getFirst().marks().getFirst();
        float[] values = map.values();
        for (int y = 0; y < box.height(); y++) {
            for (int x = 0; x < box.width(); x++) {
                ColorBar bar = figure.bars().getFirst();
                int expected = bar.colormap().at(bar.range().fraction(largest(values, map, box, x, y)));
                assertClose(expected, image.at(box.x() + x, box.y() + y), x, y);
            }
        }
    }

    @Test
    void theBarRunsFromTheLowestToTheHighestColour() {
        Figure figure = figure(4, 4);
        Box bar = Layout.of(figure, FigureSize.of(96), new Font()).bars().getFirst();
        Image image;
        try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
            image = renderer.image(figure, DPI);
        }
        Colormap colormap = figure.bars().getFirst().colormap();
        assertClose(colormap.at(0), image.at(bar.x(), bar.bottom() - 1), 0, 0);
        assertClose(colormap.at(1), image.at(bar.right() - 1, bar.y()), 0, 0);
        assertClose(colormap.at(0.5), image.at(bar.x() + 5, bar.y() + bar.height() / 2 - 1), 0, 0);
    }

    /** The value of a pixel: of the cell that holds it or, if it touches several cells, their largest. */
    private static float largest(float[] values, Mark.Heatmap map, Box box, int x, int y) {
        float max = Float.NaN;
        for (int row = first(y, box.height(), map.rows()); row <= last(y, box.height(), map.rows()); row++) {
            for (int column = first(x, box.width(), map.columns());
                    column <= last(x, box.width(), map.columns());
                    column++) {
                float value = values[row * map.columns() + column];
                max = value > max || Float.isNaN(max) ? value : max;
            }
        }
        return max;
    }

    private static int first(int pixel, int pixels, int cells) {
        double position = cells <= pixels ? pixel + 0.5 : pixel;
        return (int) Math.floor(position * cells / pixels);
    }

    private static int last(int pixel, int pixels, int cells) {
        return cells <= pixels
                ? first(pixel, pixels, cells)
                : (int) Math.ceil((pixel + 1.0) * cells / pixels) - 1;
    }

    private static Figure figure(int rows, int columns) {
        Random random = new Random(rows * 1000L + columns);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(9) == 0 ? Float.NaN : random.nextFloat();
        }
        ColorBar bar = new ColorBar("value", new Range(0, 1), Colormap.rocket());
        Panel panel = new Panel("Random", new Axis.Numbered("column", columns, 0), new Axis.Numbered("row", rows, 0),
                Optional.of(bar), List.of(new Mark.Heatmap(rows, columns, values)));
        return new Figure(List.of(panel), 1, "");
    }

    private static void assertClose(int expected, int actual, int x, int y) {
        for (int shift = 0; shift <= 16; shift += 8) {
            assertEquals(expected >> shift & 255, actual >> shift & 255, 1,
                    () -> "pixel %d, %d: %06x, not %06x".formatted(x, y, actual & 0xFFFFFF, expected));
        }
    }
}
