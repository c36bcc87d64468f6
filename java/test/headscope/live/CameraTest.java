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
    void growthKeepsTheTokensOrTheEndInSight() {
        assertEquals(Camera.WHOLE, Camera.WHOLE.grown(0.5));
        assertEquals(new Camera(0.1, 0.15, 8), new Camera(0.2, 0.3, 4).grown(0.5));
        assertEquals(new Camera(0.875, 0.15, 8), new Camera(0.75, 0.3, 4).grown(0.5));
        assertEquals(Camera.WHOLE, new Camera(0.2, 0.3, 2).grown(2)); // the text has been moved back
    }

    @Test
    void aPartIsShownByMovingAsLittleAsPossible() {
        Camera camera = new Camera(0.25, 0.25, 4);
        assertEquals(camera, camera.showing(0.3, 0.4, 0.1, 0.1));
        assertEquals(new Camera(0.125, 0.75, 4), camera.showing(0.125, 0.9, 0.1, 0.1));
        assertEquals(new Camera(0.5, 0.25, 4), camera.showing(0.5, 0, 0.5, 1), "larger than what is visible");
    }

    @Test
    void draggingMovesTheContentsWithTheCursor() {
        assertEquals(new Camera(0.25, 0.5, 4), new Camera(0.5, 0.5, 4).dragged(1, 0));
    }
}
