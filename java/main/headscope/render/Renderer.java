package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import headscope.figure.Figure;
import headscope.render.layout.FigureSize;
import headscope.render.layout.Layout;
import headscope.render.layout.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The state shared by all figures: fonts, shader programs and colour maps. Belongs to the OpenGL context that is current
 * in this thread and lives as long as that context. Creates {@link Drawing}s, which hold the state of one figure.
 */
public final class Renderer implements AutoCloseable {
    private final Font font = new Font();
    private final HeatmapPass heatmaps = new HeatmapPass();
    private final CellMarkersPass markers = new CellMarkersPass();
    private final LinePass lines = new LinePass();
    private final RulePass rules = new RulePass();
    private final TextPass text = new TextPass(font);

    /** Lays the figure out and uploads its buffers and textures. */
    public Drawing drawing(Figure figure, int dpi) {
        return drawing(figure, FigureSize.of(dpi));
    }

    /** @throws IllegalArgumentException if the figure does not fit the size, or is larger than this OpenGL can draw */
    public Drawing drawing(Figure figure, FigureSize size) {
        Layout layout = Layout.of(figure, size, font);
        int limit = glGetInteger(GL_MAX_TEXTURE_SIZE);
        if (Math.max(layout.width(), layout.height()) > limit) {
            throw new IllegalArgumentException(("at %d dpi the figure has %d x %d pixels; this OpenGL implementation draws at most %d:"
                    + " choose a lower --dpi or a smaller --width and --height, or draw it into an .svg file with --out")
                    .formatted(size.dpi(), layout.width(), layout.height(), limit));
        }
        Box canvas = new Box(0, 0, layout.width(), layout.height());
        List<DrawCall> calls = new ArrayList<>();
        Map<Integer, HeatmapPass.Values> values = new HashMap<>();
        for (Shape shape : layout.shapes()) {
            calls.add(switch (shape) {
                case Shape.Colors colors -> {
                    HeatmapPass.Values call = heatmaps.call(canvas, colors);
                    colors.panel().ifPresent(panel -> values.putIfAbsent(panel, call));
                    yield call;
                }
                case Shape.Rules boxes -> rules.call(canvas, boxes.boxes(), boxes.rgb());
                case Shape.Dots dots -> markers.call(canvas, dots);
                case Shape.Strokes strokes -> lines.call(canvas, strokes.strokes());
                case Shape.Text labels -> text.call(canvas, labels.labels());
            });
        }
        return new Drawing(figure, canvas, calls, values, MissingFont.of(
                font, layout.labels().stream().flatMapToInt(label -> label.text().codePoints())));
    }

    @Override
    public void close() {
        text.close();
        rules.close();
        lines.close();
        markers.close();
        heatmaps.close();
    }
}
