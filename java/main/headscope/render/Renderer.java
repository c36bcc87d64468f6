package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.Panel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The state shared by all figures: fonts, shader programs and colour maps. Belongs to the OpenGL context that is current
 * in this thread and lives as long as that context. Creates {@link Drawing}s, which hold the state of one figure.
 */
public final class Renderer implements AutoCloseable {
    private static final int GRID_INK = 0xE2E4E7;
    private static final int SEPARATOR_INK = 0xFFFFFF;

    private final Font font = new Font();
    private final HeatmapPass heatmaps = new HeatmapPass();
    private final CellMarkersPass markers = new CellMarkersPass();
    private final LinePass lines = new LinePass();
    private final RulePass rules = new RulePass();
    private final TextPass text = new TextPass(font);

    /** Lays the figure out and uploads its buffers and textures. */
    public Drawing drawing(Figure figure, int dpi) {
        if (dpi < 1) {
            throw new IllegalArgumentException(dpi + " dots per inch");
        }
        double scale = (double) dpi / Layout.UNITS_PER_INCH;
        Layout layout = Layout.of(figure, scale, font);
        int limit = glGetInteger(GL_MAX_TEXTURE_SIZE);
        if (Math.max(layout.width(), layout.height()) > limit) {
            throw new IllegalArgumentException("at %d dpi the figure has %d x %d pixels; this OpenGL implementation draws at most %d"
                    .formatted(dpi, layout.width(), layout.height(), limit));
        }
        Box canvas = new Box(0, 0, layout.width(), layout.height());
        List<DrawCall> calls = new ArrayList<>();
        Map<Integer, HeatmapPass.Values> values = new HashMap<>();
        calls.add(rules.call(canvas, layout.gridLines(), GRID_INK));
        for (int i = 0; i < figure.panels().size(); i++) {
            Panel panel = figure.panels().get(i);
            Box box = layout.panels().get(i);
            for (Mark mark : panel.marks()) {
                calls.add(switch (mark) {
                    case Mark.Heatmap map -> {
                        HeatmapPass.Values call = heatmaps.call(canvas, box, map, panel.bar().orElseThrow());
                        values.putIfAbsent(i, call);
                        yield call;
                    }
                    case Mark.CellMarkers cells -> markers.call(canvas, box, panel, cells, scale);
                    case Mark.Separators _ ->
                            rules.call(canvas, Cells.separators(box, panel, scale), SEPARATOR_INK);
                    case Mark.Line line -> lines.call(canvas, LineStrokes.of(line, panel, box, scale));
                });
            }
        }
        for (int i = 0; i < figure.bars().size(); i++) {
            calls.add(heatmaps.bar(canvas, layout.bars().get(i), figure.bars().get(i)));
        }
        calls.add(rules.call(canvas, layout.rules(), Sheet.INK));
        calls.add(lines.call(canvas, layout.strokes()));
        calls.add(text.call(canvas, layout.labels()));
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
