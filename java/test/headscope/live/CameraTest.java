package headscope.live;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Zooming and dragging. */
final class CameraTest {
    private static final double EXACT = 1e-12;

    @Test
    void zoomingKeepsThePointUnderTheCursor() {
        Camera before = new Camera(0.25, 0.5, 2);
        Camera after = before.zoomed(1.5, 0.3, 0.6, 100);
        assertEquals(before.x() + 0.3 / before.zoom(), after.x() + 0.3 / after.zoom(), EXACT);
        assertEquals(before.y() + 0.6 / before.zoom(), after.y() + 0.6 / after.zoom(), EXACT);
    }

    @Test
    void theVisiblePartStaysInside() {
        assertEquals(Camera.WHOLE, new Camera(0.3, 0.3, 4).zoomed(0.01, 0.5, 0.5, 100));
        assertEquals(new Camera(0.75, 0, 4), new Camera(0.5, 0, 4).dragged(-9, 3));
        assertEquals(8, Camera.WHOLE.zoomed(1000, 0.5, 0.5, 8).zoom());
    }

    @Test
    void draggingMovesTheContentsWithTheCursor() {
        assertEquals(new Camera(0.25, 0.5, 4), new Camera(0.5, 0.5, 4).dragged(1, 0));
    }
}
