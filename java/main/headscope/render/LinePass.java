package headscope.render;

import java.util.List;

/** Draws {@link Stroke}s with edges that are anti-aliased over one pixel. */
public final class LinePass implements AutoCloseable {
    /** Per stroke. */
    public static final int FLOATS = 8;

    private final Program program = new Program("line");

    DrawCall call(Box canvas, List<Stroke> strokes) {
        return new Quads(FLOATS, attributes(strokes), () -> program.use(canvas));
    }

    /** [strokes, {@link #FLOATS}], for the program {@code line}. */
    public static float[] attributes(List<Stroke> strokes) {
        float[] attributes = new float[FLOATS * strokes.size()];
        int i = 0;
        for (Stroke stroke : strokes) {
            attributes[i++] = (float) stroke.x0();
            attributes[i++] = (float) stroke.y0();
            attributes[i++] = (float) stroke.x1();
            attributes[i++] = (float) stroke.y1();
            attributes[i++] = (float) stroke.width();
            attributes[i++] = (stroke.rgb() >> 16 & 255) / 255f;
            attributes[i++] = (stroke.rgb() >> 8 & 255) / 255f;
            attributes[i++] = (stroke.rgb() & 255) / 255f;
        }
        return attributes;
    }

    @Override
    public void close() {
        program.close();
    }
}
