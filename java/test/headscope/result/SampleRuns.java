package headscope.result;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Small results of each analysis, with random values. */
public final class SampleRuns {
    public static final int LAYERS = 3;
    public static final int HEADS = 2;
    /** Side of a thumbnail. */
    private static final int SIDE = 2;
    private static final int SEEDS = 2;
    private static final List<String> FUNCTIONS = List.of("Recall", "Math, \"hard\"", "Syntax");

    private SampleRuns() {}

    /** Writes a run to a folder and commits it. */
    public static void commit(Path out, Consumer<RunFolder> write) {
        try (RunFolder folder = RunFolder.begin(out, false, false)) {
            write.accept(folder);
            folder.commit();
        }
    }

    private static Random random(String purpose) {
        return new Random(purpose.hashCode());
    }

    private static ObjectNode manifest(String analysis) {
        return JsonNodeFactory.instance.objectNode()
                .put("analysis", analysis)
                .put("caption", "Caption of " + analysis + ".");
    }

    /** Head 0 has q below 0.05 in both measures, head 1 in the first. A run with marks also has probes of each layer. */
    public static SpectraResult spectra(boolean markSignificant) {
        TestedHeads attentionScore = tested("attention score");
        TestedHeads laplacian = tested("laplacian");
        attentionScore.q()[0] = 0.01;
        attentionScore.q()[1] = 0.049;
        laplacian.q()[0] = 0.02;
        SequencedMap<String, TestedHeads> tested = new LinkedHashMap<>();
        tested.put("attention_score", attentionScore);
        tested.put("laplacian", laplacian);
        ObjectNode manifest = manifest(SpectraResult.ANALYSIS);
        new SpectraView(List.copyOf(tested.keySet()), SpectraView.Shown.P, markSignificant, 0.05).write(manifest);
        manifest.put(SpectraResult.LAYERS_CAPTION, "Caption of the layers.");
        SequencedMap<String, double[]> curves = new LinkedHashMap<>();
        curves.put("AttnLogDet", doubles(random("layers"), LAYERS));
        curves.put("AttnLogDet_std", doubles(random("deviation"), LAYERS));
        return new SpectraResult(new Manifest(manifest), LAYERS, HEADS, tested, samples(), markSignificant
                ? Optional.of(new LayerAuroc(new CurveTable("layer", IntStream.range(0, LAYERS).toArray(), curves)))
                : Optional.empty());
    }

    /** No q is below 0.05. */
    private static TestedHeads tested(String purpose) {
        Random random = random(purpose);
        double[] q = doubles(random, LAYERS * HEADS);
        for (int i = 0; i < q.length; i++) {
            q[i] = 0.05 + 0.9 * q[i];
        }
        return new TestedHeads(
                doubles(random, LAYERS * HEADS), q, doubles(random, LAYERS * HEADS),
                doubles(random, LAYERS * HEADS), doubles(random, LAYERS * HEADS), doubles(random, LAYERS * HEADS));
    }

    private static SampleTable samples() {
        return new SampleTable(List.of(
                new SampleTable.Sample(0, 12, "0", "an answer", "an answer"),
                new SampleTable.Sample(2, 7, "1", "", "two\nlines")));
    }

    /** Metrics with one and with several values per head. */
    public static SpectraValues spectraValues() {
        Random random = random("spectra values");
        return new SpectraValues(LAYERS, HEADS, List.of(
                new SpectraValues.Measured(
                        "attention_score", OptionalInt.empty(), arrays(random, 2, LAYERS * HEADS)),
                new SpectraValues.Measured(
                        "laplacian", OptionalInt.of(4), arrays(random, 2, LAYERS * HEADS * 4))),
                new long[] {0, 1});
    }

    /** A run over one text without groups, with everything that such a run may have: maps of heads 0.1 and 2.1 besides. */
    public static SaliencyResult saliency(SaliencyCell cell, boolean transpose) {
        Random random = random("saliency");
        List<String> tokens = List.of("<bos>", "a", "b,", "\"c\"");
        int count = tokens.size();
        Manifest manifest = saliencyManifest(cell, transpose);
        for (int layer = 0; layer < 2; layer++) {
            manifest.json().withArray("/" + SaliencyResult.MAPS).addObject().put(SaliencyResult.LAYER, 2 * layer)
                    .put(SaliencyResult.HEAD, 1).put(SaliencyResult.MAP_CAPTION, "Caption of a map.");
        }
        return new SaliencyResult(
                manifest, LAYERS, HEADS, means(random),
                new TokenTable(tokens, List.of(new TokenGroup("<ENV>", 1, 3), new TokenGroup("<LAN>", 3, 4))),
                floats(random, count * count),
                Optional.of(new SaliencyResult.Thumbnails(SIDE, floats(random, LAYERS * HEADS * SIDE * SIDE))),
                List.of(text(random, 0)),
                Optional.of(new SaliencyResult.Sums(
                        floats(random, LAYERS * HEADS * count), floats(random, LAYERS * HEADS * count),
                        floats(random, LAYERS * HEADS * count))),
                List.of(), arrays(random, 2, count * count));
    }

    /** A run over one long text with the further map of head 0.1. Only the last row and the first column have values. */
    public static SaliencyResult saliencyOfLongText(int tokens) {
        Random random = random("long text");
        Manifest manifest = saliencyManifest(SaliencyCell.MAX, false);
        manifest.json().withArray("/" + SaliencyResult.MAPS).addObject().put(SaliencyResult.LAYER, 0)
                .put(SaliencyResult.HEAD, 1).put(SaliencyResult.MAP_CAPTION, "Caption of a map.");
        float[] map = new float[tokens * tokens];
        for (int i = 0; i < tokens; i++) {
            map[i * tokens] = 0.25f;
            map[(tokens - 1) * tokens + i] = 0.5f;
        }
        return new SaliencyResult(manifest, LAYERS, HEADS, means(random),
                new TokenTable(IntStream.range(0, tokens).mapToObj(i -> "w" + i).toList(),
                        List.of(new TokenGroup("<ENV>", 0, tokens / 2), new TokenGroup("<LAN>", tokens / 2, tokens))),
                map, Optional.empty(), List.of(text(random, 0)), Optional.empty(), List.of(), List.of(map));
    }

    /** A mean over texts with groups and ablated heads; without thumbnails and sums. */
    static SaliencyResult saliencyOfGroups() {
        Random random = random("saliency of groups");
        return new SaliencyResult(
                saliencyManifest(SaliencyCell.SHARE, false), LAYERS, HEADS, means(random),
                new TokenTable(List.of("<ENV>", "<LAN>"), List.of()), floats(random, 4), Optional.empty(),
                List.of(text(random, 2), text(random, 2), text(random, 2)), Optional.empty(), arrays(random, 3, 5),
                List.of());
    }

    /** The enlarged head is head 0 of layer 1. */
    private static Manifest saliencyManifest(SaliencyCell cell, boolean transpose) {
        ObjectNode manifest = manifest(SaliencyResult.ANALYSIS)
                .put(SaliencyResult.TRANSPOSE, transpose)
                .put(SaliencyResult.UNIT, "saliency");
        manifest.putObject(SaliencyResult.HEAD).put(SaliencyResult.LAYER, 1).put(SaliencyResult.HEAD, 0);
        manifest.putObject("settings").put(SaliencyResult.CELL, Manifest.keyword(cell));
        return new Manifest(manifest);
    }

    private static Map<SaliencyColumn, double[]> means(Random random) {
        Map<SaliencyColumn, double[]> means = new EnumMap<>(SaliencyColumn.class);
        for (SaliencyColumn column : SaliencyColumn.values()) {
            means.put(column, doubles(random, LAYERS * HEADS));
        }
        return means;
    }

    private static SaliencyResult.TextValues text(Random random, int groups) {
        Map<SaliencyColumn, float[]> heads = new EnumMap<>(SaliencyColumn.class);
        for (SaliencyColumn column : SaliencyColumn.values()) {
            heads.put(column, floats(random, LAYERS * HEADS));
        }
        return new SaliencyResult.TextValues(
                random.nextInt(1000), random.nextFloat(), heads, floats(random, LAYERS * HEADS * groups * groups));
    }

    /** Importances of both signs. */
    public static FunctionsResult functions(FunctionsResult.Shown shown, boolean ablated, boolean top) {
        Random random = random("functions");
        ObjectNode manifest = manifest(FunctionsResult.ANALYSIS).put(FunctionsResult.SHOWN, Manifest.keyword(shown));
        if (top) {
            manifest.put(FunctionsResult.TOP, 0.75);
        }
        SequencedMap<String, double[]> importance = new LinkedHashMap<>();
        FUNCTIONS.forEach(function -> {
            double[] values = doubles(random, LAYERS * HEADS);
            values[1] = -values[1];
            importance.put(function, values);
        });
        Optional<MaskingTable> masking = ablated
                ? Optional.of(new MaskingTable(FUNCTIONS.stream().map(function -> row(random, function)).toList()))
                : Optional.empty();
        return new FunctionsResult(
                new Manifest(manifest), LAYERS, HEADS, importance, samples(),
                new ConfusionTable(FUNCTIONS, new int[][] {{3, 0, 1}, {0, 4, 0}, {2, 2, 5}}), masking,
                new FunctionsResult.Predictions(floats(random, 2 * FUNCTIONS.size()), new long[] {4, 9}, new long[] {2, 0}));
    }

    private static MaskingTable.Row row(Random random, String function) {
        return new MaskingTable.Row(
                function, 5, 12, random.nextDouble(), random.nextDouble(), random.nextDouble(), random.nextDouble(),
                24, random.nextDouble(), random.nextDouble());
    }

    /** Two tasks and a contrast. */
    public static GatesResult gates() {
        return gates(task("Math"), task("Syntax_2"), contrast());
    }

    /** A contrast alone, so that there is no check. */
    static GatesResult gatesOfContrast() {
        return gates(contrast());
    }

    private static GatesResult gates(GatesResult.Task... tasks) {
        ObjectNode manifest = manifest(GatesResult.ANALYSIS)
                .put(GatesResult.SCORE, Manifest.keyword(GateScore.INTERFERENCE))
                .put(GatesResult.CHECK_CAPTION, "Caption of the check.");
        for (GatesResult.Task task : tasks) {
            ObjectNode entry = manifest.withArray("/" + GatesResult.TASKS).addObject();
            entry.put(GatesResult.NAME, task.name());
            if (task.check().isEmpty()) {
                entry.put(GatesResult.FORGET, "forget.jsonl");
            }
        }
        return new GatesResult(new Manifest(manifest), LAYERS, HEADS, List.of(tasks));
    }

    private static GatesResult.Task task(String name) {
        Random random = random(name);
        SequencedMap<GateCurve, double[]> curves = new LinkedHashMap<>();
        for (GateCurve curve : GateCurve.values()) {
            curves.put(curve, doubles(random, 4));
        }
        return new GatesResult.Task(
                name, scores(random, GateScore.of(false)), fits(random, "0", "plus", "minus"),
                Optional.of(new GatesResult.Check(new int[] {0, 2, 4, 6}, curves)));
    }

    private static GatesResult.Task contrast() {
        Random random = random("contrast");
        return new GatesResult.Task(
                "Contrast", scores(random, GateScore.of(true)), fits(random, "contrast"), Optional.empty());
    }

    private static SequencedMap<GateScore, GatesResult.Scores> scores(Random random, List<GateScore> names) {
        SequencedMap<GateScore, GatesResult.Scores> scores = new LinkedHashMap<>();
        for (GateScore name : names) {
            scores.put(name, new GatesResult.Scores(
                    doubles(random, LAYERS * HEADS), doubles(random, LAYERS * HEADS), doubles(random, LAYERS * HEADS)));
        }
        return scores;
    }

    private static SequencedMap<String, GatesResult.Fit> fits(Random random, String... suffixes) {
        SequencedMap<String, GatesResult.Fit> fits = new LinkedHashMap<>();
        for (String suffix : suffixes) {
            fits.put(suffix, new GatesResult.Fit(
                    arrays(random, SEEDS, LAYERS * HEADS), arrays(random, SEEDS, LAYERS * HEADS),
                    arrays(random, SEEDS, suffix.length())));
        }
        return fits;
    }

    private static List<float[]> arrays(Random random, int count, int length) {
        return Stream.generate(() -> floats(random, length)).limit(count).toList();
    }

    private static float[] floats(Random random, int length) {
        float[] values = new float[length];
        IntStream.range(0, length).forEach(i -> values[i] = random.nextFloat());
        return values;
    }

    private static double[] doubles(Random random, int length) {
        return random.doubles(length).toArray();
    }
}
