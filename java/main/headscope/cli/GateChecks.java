package headscope.cli;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.figure.CurvesFigure;
import headscope.figure.Figure;
import headscope.result.CurveTable;
import headscope.result.Manifest;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/** How a gates run's fitted gates were checked, one picture a task. */
final class GateChecks {
    /** Columns of check.csv behind a task's name, and what they are called in the picture. */
    private static final List<Map.Entry<String, String>> CURVES = List.of(
            Map.entry("_shut", "shut, least facilitating first"), Map.entry("_shut_random", "shut, random order"),
            Map.entry("_open", "opened, most interfering first"), Map.entry("_open_random", "opened, random order"));

    private GateChecks() {}

    /** By name of the file; none of a run that had nothing to check. */
    static SequencedMap<String, Figure> of(Path folder, Manifest manifest) {
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
