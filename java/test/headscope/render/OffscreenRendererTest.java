package headscope.render;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.figure.ColorBar;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.render.layout.FigureSize;
import headscope.render.layout.Layout;
import headscope.result.TokenMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class OffscreenRendererTest {
    private OffscreenRenderer renderer;

    @BeforeEach
    void open() {
        renderer = OffscreenRenderer.open();
    }

    @AfterEach
    void close() {
        renderer.close();
    }

    @Test
    void oneRendererDrawsTwentyFiguresLikeTwentyRenderers() {
        List<Figure> figures = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            String name = SampleFigures.NAMES.get(i % SampleFigures.NAMES.size());
            figures.add(i % 2 == 0 ? SampleMaps.marked(1 + i, 12) : SampleFigures.of(name));
        }
        List<Image> images = figures.stream().map(figure -> renderer.image(figure, 48)).toList();
        renderer.close();
        for (int i = 0; i < images.size(); i++) {
            try (OffscreenRenderer fresh = OffscreenRenderer.open()) {
                assertImage(fresh.image(figures.get(i), 48), images.get(i));
            }
        }
        renderer = OffscreenRenderer.open();
    }

    /** 600 columns are pooled to the width of the panel; 6 are not. */
    @Test
    void replacedValuesGiveTheImageOfANewFigure() {
        for (int heads : new int[] {6, 600}) {
            Figure figure = SampleMaps.figure(4, heads);
            try (Drawing drawing = renderer.drawing(figure, 96)) {
                Image before = renderer.image(drawing);
                for (int frame = 1; frame <= 3; frame++) {
                    float[] values = values(figure, frame);
                    drawing.replaceValues(1, values);
                    Image replaced = renderer.image(drawing);
                    assertFalse(Arrays.equals(before.argb(), replaced.argb()));
                    assertImage(renderer.image(with(figure, values), 96), replaced);
                }
            }
        }
    }

    @Test
    void drawingsOfSeveralSizesCanBeOpenAtOnce() {
        Figure figure = SampleFigures.of("saliency-12");
        try (Drawing small = renderer.drawing(figure, 48); Drawing large = renderer.drawing(figure, 96)) {
            Image first = renderer.image(small);
            assertEquals(large.width(), renderer.image(large).width());
            assertImage(first, renderer.image(small));
        }
    }

    @Test
    void valuesThatThePanelCannotShowAreRejected() {
        try (Drawing drawing = renderer.drawing(SampleMaps.figure(2, 3), 48);
                Drawing curves = renderer.drawing(SampleFigures.of("curves"), 48)) {
            Image before = renderer.image(drawing);
            assertThrows(IllegalArgumentException.class, () -> drawing.replaceValues(0, new float[5]));
            float[] beyond = {0, 0, 0, 0, 0, 1.5f};
            assertThrows(IllegalArgumentException.class, () -> drawing.replaceValues(0, beyond));
            assertThrows(NoSuchElementException.class, () -> curves.replaceValues(0, new float[6]));
            assertImage(before, renderer.image(drawing));
        }
    }

    /** The only row with values, the last one, has at least two units beside the frame, and is as bright as its value. */
    @Test
    void oneRowOfALongTextIsVisible() {
        for (int tokens : new int[] {900, 2001}) {
            float[] map = new float[tokens * tokens];
            Arrays.fill(map, map.length - tokens, map.length, 1);
            Figure figure = SampleFigures.saliency(3, 3, new TokenMap("long", "saliency",
                    Collections.nCopies(tokens, "word"), List.of(), map), false, false);
            for (int dpi : new int[] {48, 96, 144}) {
                Box box = Layout.of(figure, FigureSize.of(dpi), new Font()).panels().getLast();
                Image image = renderer.image(figure, dpi);
                ColorBar bar = figure.panels().getLast().bar().orElseThrow();
                for (int x = box.x(); x < box.right(); x++) {
                    for (int unit = 0; unit < 2; unit++) {
                        int y = box.bottom() - 1 - unit * dpi / 96;
                        assertEquals(bar.colormap().at(1) & 0xFFFFFF, image.at(x, y) & 0xFFFFFF, dpi + " dpi, " + x + ", " + y);
                    }
                    if (x > box.x() + box.width() / 2) { // the pointer from the grid ends on its left part
                        assertEquals(0, image.at(x, box.bottom()) & 0xFFFFFF, "the frame");
                    }
                }
            }
        }
    }

    /** The second panel's values in another order, with a missing one. */
    private static float[] values(Figure figure, int frame) {
        float[] old = ((Mark.Heatmap) figure.panels().get(1).marks().getFirst()).values();
        float[] values = new float[old.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = old[(i + 5 * frame) % old.length];
        }
        values[frame] = Float.NaN;
        return values;
    }

    private static Figure with(Figure figure, float[] values) {
        Panel first = figure.panels().getFirst();
        Panel second = figure.panels().get(1);
        Mark.Heatmap map = (Mark.Heatmap) second.marks().getFirst();
        return new Figure(List.of(first, new Panel(second.title(), second.x(), second.y(), second.bar(),
                List.of(new Mark.Heatmap(map.rows(), map.columns(), values)))), figure.columns(), figure.caption());
    }

    private static void assertImage(Image expected, Image actual) {
        assertEquals(expected.width(), actual.width());
        assertArrayEquals(expected.argb(), actual.argb());
    }
}
