package headscope.picture;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.figure.ColorBar;
import headscope.figure.Colormap;
import headscope.figure.Figure;
import headscope.figure.Panel;
import headscope.result.FunctionsResult;
import headscope.result.GatesResult;
import headscope.result.HeadTable;
import headscope.result.Manifest;
import headscope.result.SaliencyResult;
import headscope.result.SpectraResult;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * One HTML file of finished runs that needs nothing else: their figures with the values under the pointer, the table of
 * heads, numbers and settings. The runs are data; only the page's own script, named by its digest, can be executed.
 */
public final class RunPage {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** Cells of all token maps of a page, together: in base 64 they take 6 MB, so that the page can be mailed. */
    private static final int MAX_CELLS = 1_200_000;

    /** Rows and columns of a token map: more would be too small to point at. */
    private static final int MAX_SIDE = 300;

    private RunPage() {}

    /**
     * The text of the file.
     *
     * @param title   heading of the page
     * @param folders of finished runs, in the order of the page
     * @throws headscope.result.ResultFormatException if a file of a run is missing or malformed
     */
    public static String of(String title, List<Path> folders) {
        ObjectNode data = JSON.objectNode().put("title", title);
        SequencedMap<String, Colormap> colormaps = new LinkedHashMap<>();
        ArrayNode runs = data.putArray("runs");
        folders.forEach(folder -> runs.add(run(folder, colormaps, MAX_CELLS / folders.size())));
        ObjectNode colors = data.putObject("colormaps");
        colormaps.forEach((name, map) -> {
            ArrayNode all = colors.putArray(name);
            for (int color : map.colors()) {
                all.add(color);
            }
        });
        String css = resource("page.css");
        String js = resource("panels.js") + resource("page.js");
        Map<String, String> parts = Map.of(
                "title", title.replace("&", "&amp;").replace("<", "&lt;"),
                "style", digest(css), "script", digest(js), "css", css, "js", js,
                "data", data.toString().replace("<", "\\u003c")); // ends no script element, and is the same JSON
        StringBuilder page = new StringBuilder();
        for (String piece : resource("page.html").splitWithDelimiters("\\$\\{[a-z]+}", 0)) {
            page.append(piece.startsWith("${") ? parts.get(piece.substring(2, piece.length() - 1)) : piece);
        }
        return page.toString();
    }

    /** @param cells maximum number of all cells of the run's token maps */
    private static ObjectNode run(Path folder, Map<String, Colormap> colormaps, int cells) {
        SequencedMap<String, Figure> figures = RunFigures.of(folder);
        long maps = figures.values().stream().flatMap(figure -> figure.panels().stream()).flatMap(Panel::tokenMaps).count();
        int side = Math.clamp((long) Math.sqrt(cells / Math.max(1.0, maps)), 1, MAX_SIDE);
        Manifest manifest = Manifest.read(folder);
        String analysis = manifest.analysis();
        ObjectNode run = JSON.objectNode()
                .put("name", folder.toAbsolutePath().normalize().getFileName().toString())
                .put("command", manifest.text("/command"))
                .put("legend", Legend.of(manifest));
        ArrayNode shown = run.putArray("figures");
        List<Figure> further = new ArrayList<>();
        figures.forEach((file, figure) -> {
            if (shown.isEmpty()) {
                shown.add(FigureJson.of(figure, keys(folder, analysis, figure), side));
            } else {
                further.add(figure);
            }
            figure.bars().stream().map(ColorBar::colormap).forEach(map -> colormaps.put(map.name(), map));
        });
        if (!further.isEmpty()) {
            Figure together = together(further, manifest);
            shown.add(FigureJson.of(together, Collections.nCopies(further.size(), ""), side));
        }
        run.set("heads", heads(HeadTable.read(folder.resolve(HeadTable.FILE))));
        run.set("tables", FunctionsResult.ANALYSIS.equals(analysis) ? tables(FunctionsResult.read(folder)) : JSON.arrayNode());
        run.set("manifest", manifest.json());
        return run;
    }

    /** For each panel, the beginning of the names of its columns in {@code heads.csv}; empty for all columns. */
    private static List<String> keys(Path folder, String analysis, Figure figure) {
        return switch (analysis) {
            case SpectraResult.ANALYSIS -> SpectraResult.read(folder).view().drawn();
            case FunctionsResult.ANALYSIS -> List.copyOf(FunctionsResult.read(folder).importance().keySet());
            case GatesResult.ANALYSIS -> GatesResult.read(folder).tasks().stream()
                    .flatMap(task -> Stream.of(task.name(), task.name())) // always, any
                    .toList();
            default -> Collections.nCopies(figure.panels().size(), "");
        };
    }

    /** The figures after the main one as one figure: their curves, or their maps without the grid that the first one has. */
    private static Figure together(List<Figure> figures, Manifest manifest) {
        return switch (manifest.analysis()) {
            case GatesResult.ANALYSIS -> together(figures, manifest.text("/" + GatesResult.CHECK_CAPTION));
            case SaliencyResult.ANALYSIS -> new Figure(
                    figures.stream().map(figure -> figure.panels().getLast()).toList(), Math.min(2, figures.size()),
                    "Maps of further heads; layers and heads are counted from 1.");
            default -> figures.getFirst();
        };
    }

    /** Figures of one panel each as one figure; what their captions have before the shared one becomes the title. */
    private static Figure together(List<Figure> figures, String shared) {
        List<Panel> panels = figures.stream()
                .map(figure -> {
                    Panel panel = figure.panels().getFirst();
                    String title = figure.caption().replace(": " + shared, "");
                    return new Panel(title, panel.x(), panel.y(), panel.bar(), panel.marks());
                })
                .toList();
        return new Figure(panels, Math.min(2, panels.size()), shared);
    }

    private static ObjectNode heads(HeadTable table) {
        ObjectNode json = JSON.objectNode().put("layers", table.layers()).put("heads", table.heads());
        ArrayNode names = json.putArray("names");
        ArrayNode columns = json.putArray("columns");
        table.names().forEach(name -> {
            names.add(name);
            columns.add(FigureJson.doubles(table.column(name)));
        });
        return json;
    }

    private static ArrayNode tables(FunctionsResult run) {
        ArrayNode tables = JSON.arrayNode();
        List<String> classes = run.confusion().classes();
        ObjectNode confusion = tables.addObject().put("title", "Functions that the probe predicts");
        ArrayNode predicted = confusion.putArray("names").add("function");
        classes.forEach(predicted::add);
        ArrayNode rows = confusion.putArray("rows");
        int[][] counts = run.confusion().counts();
        for (int i = 0; i < counts.length; i++) {
            ArrayNode row = rows.addArray().add(classes.get(i));
            Arrays.stream(counts[i]).forEach(row::add);
        }
        run.masking().ifPresent(masking -> {
            ObjectNode table = tables.addObject().put("title", "Share of right answers while heads are ablated");
            ArrayNode names = table.putArray("names");
            List.of("function", "heads", "texts", "before", "top heads", "random heads", "lowest heads",
                    "other texts", "others before", "others, top heads").forEach(names::add);
            ArrayNode shares = table.putArray("rows");
            masking.rows().forEach(row -> shares.addArray().add(row.function()).add(row.heads()).add(row.texts())
                    .add(row.before()).add(row.top()).add(row.random()).add(row.lowest()).add(row.otherTexts())
                    .add(row.othersBefore()).add(row.othersTop()));
        });
        return tables;
    }

    private static String digest(String text) {
        try {
            byte[] sum = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return "'sha256-" + Base64.getEncoder().encodeToString(sum) + "'";
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static String resource(String name) {
        try (InputStream stream = RunPage.class.getResourceAsStream("page/" + name)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException failure) {
            throw new UncheckedIOException(name, failure);
        }
    }
}
