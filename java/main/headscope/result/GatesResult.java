package headscope.result;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The run folder of a gates analysis: {@code manifest.json}, {@code heads.csv}, {@code check.csv} (unless every task is
 * a contrast) and {@code values.safetensors}.
 */
public record GatesResult(Manifest manifest, int layers, int heads, List<Task> tasks) {
    /** {@link Manifest#analysis} of the run. */
    public static final String ANALYSIS = "gates";

    /** Manifest key: the tasks, each with {@link #NAME}, and {@link #FORGET} if it is a contrast. */
    public static final String TASKS = "tasks";

    /** Manifest key of a task. */
    public static final String NAME = "name";

    /** Manifest key of a contrast: the texts to forget. */
    public static final String FORGET = "forget";

    /** Manifest key: the score that the figure shows. */
    public static final String SCORE = "score";

    /** Manifest key: the caption of the figures of checks. */
    public static final String CHECK_CAPTION = "check_caption";

    /** Of the tensors of a fit. */
    private static final List<String> SUFFIXES = List.of("0", "plus", "minus", "contrast");

    private static final String CHECK_FILE = "check.csv";
    private static final String CHECK_X = "heads";

    /**
     * One task.
     *
     * @param scores of each head
     * @param fits   by suffix of their tensors: "0", "plus" and "minus", or "contrast"
     * @param check  empty for a contrast
     */
    public record Task(
            String name, SequencedMap<GateScore, Scores> scores, SequencedMap<String, Fit> fits,
            Optional<Check> check) {}

    /**
     * A score over the seeds, each [layers, heads].
     *
     * @param always minimum
     * @param any    maximum
     */
    public record Scores(double[] always, double[] any, double[] mean) {}

    /**
     * A fit.
     *
     * @param theta logits of the gates, one array [layers, heads] per seed
     * @param gates one array [layers, heads] per seed
     * @param nll   of the batch before each update, nats; one array per seed
     */
    public record Fit(List<float[]> theta, List<float[]> gates, List<float[]> nll) {}

    /**
     * The log probability of answers while heads are changed.
     *
     * @param heads   number of heads changed; the same for all tasks of a run
     * @param logProb one value per number of heads, nats
     */
    public record Check(int[] heads, SequencedMap<GateCurve, double[]> logProb) {}

    /** @throws RunFolderException if a file cannot be written */
    public void write(RunFolder folder) {
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        SequencedMap<String, double[]> curves = new LinkedHashMap<>();
        for (Task task : tasks) {
            task.scores().forEach((score, values) -> {
                columns.put(column(task.name(), score, "always"), values.always());
                columns.put(column(task.name(), score, "any"), values.any());
                columns.put(column(task.name(), score, "mean"), values.mean());
            });
            task.check().ifPresent(check -> check.logProb().forEach(
                    (curve, values) -> curves.put(column(task.name(), curve), values)));
        }
        new HeadTable(layers, heads, columns).write(folder.file(HeadTable.FILE));
        tasks.stream().map(Task::check).flatMap(Optional::stream).findFirst().ifPresent(check ->
                new CurveTable(CHECK_X, check.heads(), curves).write(folder.file(CHECK_FILE)));
        writeValues(folder);
        manifest.write(folder.file(RunFolder.MANIFEST));
    }

    private void writeValues(RunFolder folder) {
        List<Layout> layouts = new ArrayList<>();
        for (Task task : tasks) {
            task.fits().forEach((suffix, fit) -> {
                int seeds = fit.theta().size();
                layouts.add(new Layout(tensor(task.name(), "theta", suffix), DType.F32, seeds, layers, heads));
                layouts.add(new Layout(tensor(task.name(), "gates", suffix), DType.F32, seeds, layers, heads));
                layouts.add(new Layout(
                        tensor(task.name(), "nll", suffix), DType.F32, seeds, fit.nll().getFirst().length));
            });
        }
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.file(ValuesFile.FILE), Map.of(), layouts)) {
            for (Task task : tasks) {
                task.fits().forEach((suffix, fit) -> {
                    fit.theta().forEach(values -> writer.append(tensor(task.name(), "theta", suffix), values));
                    fit.gates().forEach(values -> writer.append(tensor(task.name(), "gates", suffix), values));
                    fit.nll().forEach(values -> writer.append(tensor(task.name(), "nll", suffix), values));
                });
            }
            writer.commit();
        }
    }

    /**
     * @throws ResultFormatException if a file is missing or malformed
     * @throws ModelFormatException  if that file is {@code values.safetensors}
     */
    public static GatesResult read(Path folder) {
        Manifest manifest = Manifest.read(folder);
        if (manifest.json().path(TASKS).isEmpty()) {
            throw new ResultFormatException(folder.resolve(RunFolder.MANIFEST), "contains no tasks");
        }
        Path heads = folder.resolve(HeadTable.FILE);
        HeadTable table = HeadTable.read(heads);
        List<Task> tasks = new ArrayList<>();
        try (Safetensors values = Safetensors.open(folder.resolve(ValuesFile.FILE))) {
            for (JsonNode task : manifest.json().path(TASKS)) {
                String name = task.path(NAME).asText();
                boolean contrast = task.has(FORGET);
                tasks.add(new Task(name, scores(heads, table, name, contrast), fits(values, name),
                        contrast ? Optional.empty() : Optional.of(check(folder, name))));
            }
        }
        return new GatesResult(manifest, table.layers(), table.heads(), tasks);
    }

    private static SequencedMap<GateScore, Scores> scores(
            Path file, HeadTable table, String task, boolean contrast) {
        SequencedMap<GateScore, Scores> scores = new LinkedHashMap<>();
        for (GateScore score : GateScore.of(contrast)) {
            scores.put(score, new Scores(
                    table.column(file, column(task, score, "always")), table.column(file, column(task, score, "any")),
                    table.column(file, column(task, score, "mean"))));
        }
        return scores;
    }

    private static SequencedMap<String, Fit> fits(Safetensors values, String task) {
        SequencedMap<String, Fit> fits = new LinkedHashMap<>();
        for (String suffix : SUFFIXES) {
            if (values.has(tensor(task, "theta", suffix))) {
                fits.put(suffix, new Fit(
                        ValuesFile.slices(values.get(tensor(task, "theta", suffix))),
                        ValuesFile.slices(values.get(tensor(task, "gates", suffix))),
                        ValuesFile.slices(values.get(tensor(task, "nll", suffix)))));
            }
        }
        return fits;
    }

    private static Check check(Path folder, String task) {
        Path file = folder.resolve(CHECK_FILE);
        CurveTable table = CurveTable.read(file);
        SequencedMap<GateCurve, double[]> logProb = new LinkedHashMap<>();
        for (GateCurve curve : GateCurve.values()) {
            logProb.put(curve, table.curve(file, column(task, curve)));
        }
        return new Check(table.at(), logProb);
    }

    private static String column(String task, GateScore score, String overSeeds) {
        return "%s_%s_%s".formatted(task, Manifest.keyword(score), overSeeds);
    }

    private static String column(String task, GateCurve curve) {
        return task + "_" + Manifest.keyword(curve);
    }

    private static String tensor(String task, String quantity, String suffix) {
        return "%s.%s_%s".formatted(task, quantity, suffix);
    }

    /** The score that the figure shows for a task. */
    public GateScore shown(Task task) {
        return task.scores().containsKey(GateScore.CONTRAST)
                ? GateScore.CONTRAST
                : manifest.constant("/" + SCORE, GateScore.class);
    }

    public String checkCaption() {
        return manifest.text("/" + CHECK_CAPTION);
    }
}
