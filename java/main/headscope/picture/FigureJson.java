package headscope.picture;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.figure.Axis;
import headscope.figure.ColorBar;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.MaxPooling;
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

    /**
     * @param keys of the columns of {@code heads.csv} that belong to each panel
     * @param side maximum number of rows and columns of a token map; larger ones are pooled, and the caption says so
     */
    static ObjectNode of(Figure figure, List<String> keys, int side) {
        ObjectNode json = JSON.objectNode().put("caption", caption(figure, side)).put("columns", figure.columns());
        figure.enlarged().ifPresent(cell -> json.set("enlarged", cell(cell)));
        List<ColorBar> bars = figure.bars();
        ArrayNode scales = json.putArray("bars");
        bars.forEach(bar -> scales.add(bar(bar)));
        ArrayNode panels = json.putArray("panels");
        for (int i = 0; i < figure.panels().size(); i++) {
            Panel panel = figure.panels().get(i);
            ObjectNode shown = panels.addObject().put("title", panel.title()).put("key", keys.get(i))
                    .put("bar", panel.bar().map(bars::indexOf).orElse(-1));
            int cells = panel.tokenMaps().findAny().isPresent() ? side : Integer.MAX_VALUE;
            shown.set("x", axis(panel.x(), cells));
            shown.set("y", axis(panel.y(), cells));
            ArrayNode marks = shown.putArray("marks");
            panel.marks().forEach(mark -> marks.add(mark(mark, cells)));
        }
        return json;
    }

    private static String caption(Figure figure, int side) {
        List<String> notes = figure.panels().stream()
                .flatMap(Panel::tokenMaps)
                .map(map -> MaxPooling.ofTokens(map, side, side))
                .filter(MaxPooling::reduces)
                .map(MaxPooling::note)
                .distinct()
                .toList();
        return notes.isEmpty() ? figure.caption()
                : (figure.caption() + " " + String.join(" ", notes) + " Tokens are counted from 0.").strip();
    }

    private static ObjectNode bar(ColorBar bar) {
        ObjectNode json = JSON.objectNode().put("label", bar.label()).put("min", bar.range().min())
                .put("max", bar.range().max()).put("colormap", bar.colormap().name());
        json.set("ticks", ticks(bar.ticks(BAR_TICKS)));
        return json;
    }

    /** @param cells maximum number of cells of tokens */
    private static ObjectNode axis(Axis axis, int cells) {
        ObjectNode json = JSON.objectNode().put("label", axis.label());
        switch (axis) {
            case Axis.Numbered numbered -> {
                json.put("count", numbered.count()).put("first", numbered.first());
                json.set("ticks", limited(numbered::ticks));
            }
            case Axis.Named named when named.count() > cells -> pooled(named, cells, json);
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

    /** Cells of several tokens: names of the first and of the last token of each, and groups in cells. */
    private static void pooled(Axis.Named tokens, int cells, ObjectNode json) {
        json.put("count", cells).put("tokens", tokens.count());
        ArrayNode names = json.putArray("names");
        ArrayNode last = json.putArray("last");
        for (int cell = 0; cell < cells; cell++) {
            names.add(tokens.names().get(MaxPooling.first(cell, tokens.count(), cells)));
            last.add(tokens.names().get(MaxPooling.first(cell + 1, tokens.count(), cells) - 1));
        }
        double cellsPerToken = (double) cells / tokens.count();
        ArrayNode groups = json.putArray("groups");
        tokens.groups().forEach(group -> groups.addObject().put("label", group.label())
                .put("start", group.start() * cellsPerToken).put("end", group.end() * cellsPerToken));
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

    /** @param cells maximum number of rows and columns of a map */
    private static ObjectNode mark(Mark mark, int cells) {
        ObjectNode json = JSON.objectNode();
        switch (mark) {
            case Mark.Heatmap map -> {
                MaxPooling pooling = MaxPooling.ofTokens(map, cells, cells);
                float[] values = map.values();
                if (pooling.reduces()) {
                    float[] pooled = new float[pooling.pooledRows() * pooling.pooledColumns()];
                    pooling.apply(values, pooled);
                    values = pooled;
                }
                json.put("kind", "heatmap").put("rows", pooling.pooledRows()).put("columns", pooling.pooledColumns())
                        .put("values", floats(values));
            }
            case Mark.CellMarkers markers -> {
                ArrayNode marked = json.put("kind", "markers").putArray("cells");
                markers.cells().forEach(cell -> marked.add(cell(cell)));
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
