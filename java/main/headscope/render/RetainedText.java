package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Text that changes with every frame: lines that have been measured and glyphs that have been drawn are kept for the next
 * frames. Belongs to the OpenGL context that is current in this thread.
 */
public final class RetainedText implements TextMeasure, AutoCloseable {
    private static final int SIDE = 2048; // of the glyph texture, in texels; OpenGL 3.3 has at least 1024, GPUs 16384

    /** Lines that are kept; more than a screen shows at once. */
    private static final int LINES = 4_096;

    private record Key(String text, float size) {}

    private record Line(List<Font.Placed> glyphs, double width) {}

    private final Font font = new Font();
    private final Map<Key, Line> lines = new LinkedHashMap<>(LINES, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Line> eldest) {
            return size() > LINES;
        }
    };
    private final Program program = new Program("text");
    private final int texture = Texture.create();
    private final Quads quads;
    private GlyphPacking packing = new GlyphPacking(font, SIDE);
    private int uploaded; // glyphs of the packing that the texture has
    private Box canvas = new Box(0, 0, 1, 1);

    public RetainedText() {
        glTexImage2D(GL_TEXTURE_2D, 0, GL_R8, SIDE, SIDE, 0, GL_RED, GL_UNSIGNED_BYTE, (ByteBuffer) null);
        quads = new Quads(GlyphQuad.FLOATS, new float[0],
                () -> program.use(canvas).setTexture("u_glyphs", 0, texture));
    }

    private Line line(String text, float size) {
        return lines.computeIfAbsent(new Key(text, size), key -> {
            List<Font.Placed> glyphs = new ArrayList<>();
            double width = font.walk(text, size, glyphs::add);
            return new Line(glyphs, width);
        });
    }

    /** @param on the whole picture, at the origin */
    public void draw(Box on, List<Label> labels) {
        canvas = on;
        List<GlyphQuad> glyphs = place(labels);
        if (packing.height() > SIDE) {
            packing = new GlyphPacking(font, SIDE); // begins again with what this picture shows
            uploaded = 0;
            glyphs = place(labels);
        }
        glActiveTexture(GL_TEXTURE0);
        glBindTexture(GL_TEXTURE_2D, texture);
        GlyphQuad.upload(packing.entries().stream().skip(uploaded).filter(RetainedText::fits)::iterator);
        uploaded = packing.entries().size();
        quads.replace(GlyphQuad.attributes(glyphs.stream().filter(glyph -> fits(glyph.glyph())).toList()));
        quads.draw();
    }

    private List<GlyphQuad> place(List<Label> labels) {
        List<GlyphQuad> glyphs = new ArrayList<>();
        for (Label label : labels) {
            for (Font.Placed placed : line(label.text(), label.size()).glyphs()) {
                glyphs.add(GlyphQuad.of(label, placed, packing));
            }
        }
        return glyphs;
    }

    /** A picture with more than some ten thousand different glyphs lacks the last ones. */
    private static boolean fits(GlyphPacking.Entry entry) {
        return entry.v() + entry.bitmap().height() <= SIDE;
    }

    @Override
    public double width(String text, float size) {
        return line(text, size).width();
    }

    @Override
    public double ascent(float size) {
        return font.ascent(size);
    }

    @Override
    public double descent(float size) {
        return font.descent(size);
    }

    @Override
    public double capHeight(float size) {
        return font.capHeight(size);
    }

    @Override
    public void close() {
        quads.close();
        glDeleteTextures(texture);
        program.close();
    }
}
