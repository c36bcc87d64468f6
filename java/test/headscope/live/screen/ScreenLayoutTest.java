package headscope.live.screen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.live.Camera;
import headscope.render.Box;
import headscope.result.frame.FrameSource;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ScreenLayoutTest {
    private static FrameSource source(int layers, int heads) {
        return new FrameSource("m", "d", layers, heads, true, List.of(), 64, "maximum", 0);
    }

    @ParameterizedTest
    @CsvSource({
        "640, 400, 1, 12, 12", "1280, 800, 1, 12, 12", "1280, 800, 1, 80, 64", "1280, 800, 1, 1, 1",
        "2560, 1600, 2, 32, 32", "3840, 2160, 2, 1, 64", "1000, 1600, 1, 48, 4", "1920, 1080, 1.25, 32, 40"})
    void panelsFillTheScreenWithoutOverlap(int width, int height, double scale, int layers, int heads) {
        ScreenLayout layout = ScreenLayout.of(width, height, scale, source(layers, heads));
        Box screen = new Box(0, 0, width, height);
        List<Box> panels = List.of(layout.header(), layout.status(), layout.gridPanel(), layout.mapPanel(),
                layout.spectrum(), layout.curve(), layout.text());
        for (Box panel : panels) {
            assertTrue(screen.contains(panel), panel + " in " + screen);
            assertTrue(panels.stream().filter(panel::overlaps).count() == 1, panel.toString());
        }
        assertTrue(layout.gridPanel().contains(layout.grid()));
        assertTrue(layout.mapPanel().contains(layout.map()));
        assertTrue(layout.gridPanel().contains(layout.gridBar()) && !layout.grid().overlaps(layout.gridBar()));
        assertTrue(layout.mapPanel().contains(layout.mapBar()) && !layout.map().overlaps(layout.mapBar()));
        assertEquals(layout.map().width(), layout.map().height());
        assertEquals((double) layout.grid().width() / heads, (double) layout.grid().height() / layers, 0.5, "square heads");
    }

    @Test
    void pixelsAndCellsAreInverse() {
        FrameSource source = source(32, 24);
        ScreenLayout layout = ScreenLayout.of(1280, 800, 1, source);
        for (Camera camera : List.of(Camera.WHOLE, new Camera(0.3, 0.5, 2), new Camera(0.81, 0.2, 7.3))) {
            GridGeometry grid = layout.grid(source, camera);
            for (int row = 0; row < 32; row++) {
                for (int column = 0; column < 24; column++) {
                    double x = grid.left(column + 0.4);
                    double y = grid.top(row + 0.6);
                    Box shown = grid.visible(column, row, 1, 1);
                    if (grid.contains(x, y)) {
                        assertEquals(row, grid.rowAt(y));
                        assertEquals(column, grid.columnAt(x));
                        assertTrue(shown.width() > 0 && shown.height() > 0);
                    }
                    assertTrue(layout.grid().contains(shown), shown.toString());
                }
            }
        }
        assertFalse(layout.grid(source, Camera.WHOLE).contains(0, 0));
    }

    @Test
    void zoomKeepsThePixelUnderTheMouse() {
        ScreenLayout layout = ScreenLayout.of(1280, 800, 1, source(12, 12));
        GridGeometry before = layout.map(100, Camera.WHOLE);
        double x = before.box().x() + 0.62 * before.box().width();
        double y = before.box().y() + 0.31 * before.box().height();
        Camera camera = Camera.WHOLE.zoomed(3, 0.62, 0.31, layout.maxMapZoom(100));
        GridGeometry after = layout.map(100, camera);
        assertEquals(before.columnAt(x), after.columnAt(x));
        assertEquals(before.rowAt(y), after.rowAt(y));
        assertEquals(3 * before.pitch(), after.pitch(), 1e-9);
    }
}
