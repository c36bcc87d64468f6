package headscope.picture;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.figure.Axis;
import headscope.figure.ColorBar;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.figure.Tick;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.function.IntFunction;

/** A figure as data for the page's script. Values are little-endian numbers in base 64, so that none is rounded. */
final class FigureJson {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** The script shows the labels of the largest of these limits for which an axis has room. */
    private static final int[] TICK_LIMITS = {1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64};

    private static final int BAR_TICKS = 6;

    private FigureJson() {}

    /** @param keys of the columns of {@code heads.csv} that belong to each panel */
    static ObjectNode of(Figure figure, String caption, List<String> keys) {
        ObjectNode json = JSON.objectNode().put("caption", caption).put("columns", figure.columns());
        figure.enlarged().ifPresent(cell -> json.set("enlarged", cell(cell)));
        List<ColorBar> bars = figure.bars();
        ArrayNode scales = json.putArray("bars");
        bars.forEach(bar -> scales.add(bar(bar)));
        ArrayNode panels = json.putArray("panels");
        for (int i = 0; i < figure.panels().size(); i++) {
            Panel panel = figure.panels().get(i);
            ObjectNode shown = panels.addObject().put("title", panel.title()).put("key", keys.get(i))
                    .put("bar", panel.bar().map(bars::indexOf).orElse(-1));
            shown.set("x", axis(panel.x()));
            shown.set("y", axis(panel.y()));
            ArrayNode marks = shown.putArray("marks");
            panel.marks().forEach(mark -> marks.add(mark(mark)));
        }
        return json;
    }

    private static ObjectNode bar(ColorBar bar) {
        ObjectNode json = JSON.objectNode().put("label", bar.label()).put("min", bar.range().min())
                .put("max", bar.range().max()).put("colormap", bar.colormap().name());
        json.set("ticks", ticks(bar.ticks(BAR_TICKS)));
        return json;
    }

    private static ObjectNode axis(Axis axis) {
        ObjectNode json = JSON.objectNode().put("label", axis.label());
        switch (axis) {
            case Axis.Numbered numbered -> {
                json.put("count", numbered.count()).put("first", numbered.first());
                json.set("ticks", limited(numbered::ticks));
            }
            case Axis.Named named -> {
                json.put("count", named.count());
                named.names().forEach(json.putArray("names")::add);
                ArrayNode groups = json.putArray("groups");
                named.groups().forEach(group -> groups.addObject()
                        .put("label", group.label()).put("start", group.start()).put("end", group.end()));
            }
            case Axis.Logarithmic _, Axis.Categories _ -> throw notInARun(axis.label());
            case Axis.Numbers numbers -> {
                json.put("min", numbers.range().min()).put("max", numbers.range().max());
                json.set("ticks", limited(numbers::ticks));
            }
        }
        return json;
    }

    private static ObjectNode limited(IntFunction<List<Tick>> of) {
        ObjectNode json = JSON.objectNode();
        for (int limit : TICK_LIMITS) {
            json.set(String.valueOf(limit), ticks(of.apply(limit)));
        }
        return json;
    }

    private static ArrayNode ticks(List<Tick> ticks) {
        ArrayNode json = JSON.arrayNode();
        ticks.forEach(tick -> json.addArray().add(tick.value()).add(tick.label()));
        return json;
    }

    private static ObjectNode mark(Mark mark) {
        ObjectNode json = JSON.objectNode();
        switch (mark) {
            case Mark.Heatmap map -> json.put("kind", "heatmap").put("rows", map.rows()).put("columns", map.columns())
                    .put("values", floats(map.values()));
            case Mark.CellMarkers markers -> {
                ArrayNode cells = json.put("kind", "markers").putArray("cells");
                markers.cells().forEach(cell -> cells.add(cell(cell)));
            }
            case Mark.Points _, Mark.Bars _ -> throw notInARun("labelled points or bars");
            case Mark.Separators _ -> json.put("kind", "separators");
            case Mark.Line line -> {
                json.put("kind", "line").put("label", line.label()).put("color", "#%06x".formatted(line.rgb()))
                        .put("dotted", line.dotted());
                numbers(json.putArray("x"), line.x());
                numbers(json.putArray("y"), line.y());
            }
        }
        return json;
    }

    private static IllegalArgumentException notInARun(String what) {
        return new IllegalArgumentException("no figure of a run has " + what);
    }

    private static void numbers(ArrayNode json, double[] values) {
        for (double value : values) {
            json.add(value);
        }
    }

    private static ArrayNode cell(Mark.Cell cell) {
        return JSON.arrayNode().add(cell.row()).add(cell.column());
    }

    private static String floats(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    static String doubles(double[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(Double.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asDoubleBuffer().put(values);
        return Base64.getEncoder().encodeToString(bytes.array());
    }
}
