package headscope.render;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.lwjgl.opengl.GL33C.*;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TextPassTest {
    private static final int SIDE = 200;
    private static final String TEXT = "p-value, Layer 0.25";

    private final Font font = new Font();
    private OffscreenContext context;

    @BeforeEach
    void open() {
        context = OffscreenContext.open();
    }

    @AfterEach
    void close() {
        context.close();
    }

    @Test
    void anUpwardLineEqualsARotatedLevelLine() {
        Image level = draw(label(20.25, 100, false), 2048);
        Image upward = draw(label(100, SIDE - 20.25, true), 2048);
        assertTrue(Arrays.stream(level.argb()).filter(pixel -> pixel == 0xFF000000).count() > 50);
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                assertEquals(level.at(x, y), upward.at(y, SIDE - 1 - x), "pixel %d, %d".formatted(x, y));
            }
        }
    }

    @Test
    void severalRowsOfGlyphsDrawTheSame() {
        Label label = label(10, 100, false);
        assertArrayEquals(draw(label, 2048).argb(), draw(label, 40).argb());
    }

    private Label label(double x, double y, boolean upward) {
        return Label.of(TEXT, 19, 0, x, y, upward, font);
    }

    private Image draw(Label label, int textureWidth) {
        try (Framebuffer target = new Framebuffer(SIDE, SIDE);
                TextPass pass = new TextPass(font, textureWidth);
                DrawCall call = pass.call(new Box(0, 0, SIDE, SIDE), List.of(label))) {
            glViewport(0, 0, SIDE, SIDE);
            glClearColor(1, 1, 1, 1);
            glClear(GL_COLOR_BUFFER_BIT);
            call.draw();
            return target.read();
        }
    }
}
