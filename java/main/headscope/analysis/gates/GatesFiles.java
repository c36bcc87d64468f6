package headscope.analysis.gates;

import headscope.model.ModelConfig;
import headscope.result.CurveTable;
import headscope.result.HeadTable;
import headscope.result.RunFolder;
import headscope.tensor.DType;
import headscope.tensor.SafetensorsWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/** A gates run's tables and values. */
final class GatesFiles {
    private GatesFiles() {}

    static void write(RunFolder folder, ModelConfig config, List<FittedTask> fitted) {
        writeHeads(folder, config, fitted);
        writeChecks(folder, fitted);
        writeValues(folder, config, fitted);
    }

    private static void writeHeads(RunFolder folder, ModelConfig config, List<FittedTask> fitted) {
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        for (FittedTask task : fitted) {
            for (GateScore score : GateScore.of(task.task())) {
                String column = task.task().name() + "_" + lower(score);
                columns.put(column + "_always", task.always(score));
                columns.put(column + "_any", task.any(score));
                columns.put(column + "_mean", task.mean(score));
            }
        }
        new HeadTable(config.layers(), config.heads(), columns).write(folder.file("heads.csv"));
    }

    /** All checks of a run change the same numbers of heads. */
    private static void writeChecks(RunFolder folder, List<FittedTask> fitted) {
        SequencedMap<String, double[]> curves = new LinkedHashMap<>();
        for (FittedTask task : fitted) {
            task.check().ifPresent(found -> found.logProb().forEach(
                    (curve, values) -> curves.put(task.task().name() + "_" + lower(curve), values)));
        }
        fitted.stream().map(FittedTask::check).flatMap(Optional::stream).findFirst().ifPresent(
                check -> new CurveTable("heads", check.heads(), curves).write(folder.file("check.csv")));
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** [seeds, layers, heads], and how unlikely batches were [seeds, updates]. */
    private static void writeValues(RunFolder folder, ModelConfig config, List<FittedTask> fitted) {
        List<SafetensorsWriter.Layout> layouts = new ArrayList<>();
        for (FittedTask task : fitted) {
            task.fits().forEach((fit, masks) -> {
                layouts.add(new SafetensorsWriter.Layout(
                        name(task, "theta", fit), DType.F32, masks.seeds(), config.layers(), config.heads()));
                layouts.add(new SafetensorsWriter.Layout(
                        name(task, "gates", fit), DType.F32, masks.seeds(), config.layers(), config.heads()));
                layouts.add(new SafetensorsWriter.Layout(
                        name(task, "nll", fit), DType.F32, masks.seeds(), masks.nll()[0].length));
            });
        }
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(folder.file("values.safetensors"), Map.of(), layouts)) {
            for (FittedTask task : fitted) {
                task.fits().forEach((fit, masks) -> {
                    for (int seed = 0; seed < masks.seeds(); seed++) {
                        writer.append(name(task, "theta", fit), masks.theta()[seed]);
                        writer.append(name(task, "gates", fit), masks.gates()[seed]);
                        writer.append(name(task, "nll", fit), masks.nll()[seed]);
                    }
                });
            }
            writer.commit();
        }
    }

    private static String name(FittedTask task, String what, GateFit fit) {
        return "%s.%s_%s".formatted(task.task().name(), what, fit.suffix);
    }
}
