package headscope.picture;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.figure.CurvesFigure;
import headscope.figure.Figure;
import headscope.figure.GatesFigure;
import headscope.result.CurveTable;
import headscope.result.HeadMap;
import headscope.result.HeadTable;
import headscope.result.Manifest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/** The pictures of a gates run, from its folder alone. */
final class GatesPicture {
    /** Columns of check.csv behind a task's name, and what they are called in the picture. */
    private static final List<Map.Entry<String, String>> CURVES = List.of(
            Map.entry("_shut", "shut, least facilitating first"), Map.entry("_shut_random", "shut, random order"),
            Map.entry("_open", "opened, most interfering first"), Map.entry("_open_random", "opened, random order"));

    private GatesPicture() {}

    /** Of each task, the score that the run was asked to show. */
    static Figure of(Path folder, Manifest manifest) {
        HeadTable heads = HeadTable.read(folder.resolve("heads.csv"));
        List<HeadMap> maps = new ArrayList<>();
        for (JsonNode task : manifest.json().at("/tasks")) {
            String score = task.has("forget") ? "contrast" : manifest.text("/score");
            String name = task.get("name").asText();
            maps.add(heads.map("%s_%s_always".formatted(name, score), name + " (Always)", score));
            maps.add(heads.map("%s_%s_any".formatted(name, score), name + " (Any)", score));
        }
        return GatesFigure.of(maps, manifest.text("/caption"));
    }

    /** How the fitted gates were checked, by name of the file; none of a run that had nothing to check. */
    static SequencedMap<String, Figure> checks(Path folder, Manifest manifest) {
        SequencedMap<String, Figure> figures = new LinkedHashMap<>();
        List<String> tasks = names(manifest.json().at("/tasks"));
        if (!tasks.isEmpty()) {
            CurveTable table = CurveTable.read(folder.resolve("check.csv"));
            for (String task : tasks) {
                figures.put("check-" + task + ".png", figure(table, task, manifest.text("/check_caption")));
            }
        }
        return figures;
    }

    private static List<String> names(JsonNode tasks) {
        return tasks.valueStream().filter(task -> !task.has("forget")).map(task -> task.get("name").asText()).toList();
    }

    private static Figure figure(CurveTable table, String task, String caption) {
        double[] heads = Arrays.stream(table.at()).asDoubleStream().toArray();
        Stream<CurvesFigure.Curve> curves = CURVES.stream().map(curve ->
                new CurvesFigure.Curve(curve.getValue(), heads, table.curve(task + curve.getKey())));
        return CurvesFigure.of(curves.toList(), "Heads changed", "Log probability of the answer (nats)",
                task + ": " + caption);
    }
}
