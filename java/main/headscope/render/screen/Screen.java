package headscope.render.screen;

import static org.lwjgl.opengl.GL33C.*;

import headscope.render.Box;
import headscope.render.LinePass;
import headscope.render.Program;
import headscope.render.Quads;
import headscope.render.RetainedText;
import headscope.render.TextMeasure;
import java.util.List;

/**
 * Draws {@link Scene}s, one per frame, and keeps textures, glyphs and programs between them. Belongs to the OpenGL context
 * that is current in this thread.
 */
public final class Screen implements AutoCloseable {
    private final CellsPass cells = new CellsPass();
    private final RetainedText text = new RetainedText();
    private final Program fill = new Program("fill");
    private final Program line = new Program("line");
    private Box canvas = new Box(0, 0, 1, 1);
    private final Quads fills = new Quads(Fill.FLOATS, new float[0], () -> fill.use(canvas));
    private final Quads strokes = new Quads(LinePass.FLOATS, new float[0], () -> line.use(canvas));

    /** Measures text as this screen draws it. */
    public TextMeasure measure() {
        return text;
    }

    /** Bytes of textures with values. */
    public long textureBytes() {
        return cells.bytes();
    }

    /** Draws into the current framebuffer, from its lower left corner. */
    public void draw(Scene scene) {
        canvas = new Box(0, 0, scene.width(), scene.height());
        glViewport(0, 0, scene.width(), scene.height());
        int rgb = scene.background();
        glClearColor((rgb >> 16 & 255) / 255f, (rgb >> 8 & 255) / 255f, (rgb & 255) / 255f, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        for (Scene.Part part : scene.parts()) {
            switch (part) {
                case Scene.Cells grid -> cells.draw(canvas, grid);
                case Scene.Fills(List<Fill> boxes) -> {
                    fills.replace(attributes(boxes));
                    fills.draw();
                }
                case Scene.Strokes lines -> {
                    strokes.replace(LinePass.attributes(lines.strokes()));
                    strokes.draw();
                }
                case Scene.Texts texts -> text.draw(canvas, texts.labels());
            }
        }
        int error = glGetError();
        if (error != GL_NO_ERROR) {
            throw new IllegalStateException("OpenGL error 0x%04x".formatted(error));
        }
    }

    private static float[] attributes(List<Fill> boxes) {
        float[] attributes = new float[Fill.FLOATS * boxes.size()];
        for (int i = 0; i < boxes.size(); i++) {
            boxes.get(i).write(attributes, Fill.FLOATS * i);
        }
        return attributes;
    }

    @Override
    public void close() {
        fills.close();
        strokes.close();
        fill.close();
        line.close();
        text.close();
        cells.close();
    }
}
