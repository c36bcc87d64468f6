package headscope.analysis.comparison;

import headscope.analysis.InputException;
import headscope.result.FunctionsResult;
import headscope.result.GateScore;
import headscope.result.GatesResult;
import headscope.result.Manifest;
import headscope.result.SaliencyColumn;
import headscope.result.SaliencyResult;
import headscope.result.SampleTable;
import headscope.result.SpectraResult;
import headscope.result.SpectraValues;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.stream.IntStream;

/**
 * The measures and texts by which a run is compared.
 *
 * @param measures of every head, by name
 * @param drawn    names of the measures that the run's own figure shows
 * @param texts    in the order of the values of each measure
 */
record ComparedRun(
        Path folder, Manifest manifest, int layers, int heads, SequencedMap<String, Measure> measures,
        SequencedSet<String> drawn, ComparedTexts texts) {
    /**
     * A measure.
     *
     * @param definition the settings that define its values, such as "a mean of 10 eigenvalues"; empty if none does
     * @param mean       [layers, heads], over all texts
     * @param texts      [layers, heads] of each text; empty if the run does not contain them
     */
    record Measure(String definition, double[] mean, List<float[]> texts) {
        Measure(double[] mean, List<float[]> texts) {
            this("", mean, texts);
        }

        /** The mean over the texts that have a value; NaN if none has. */
        static double[] mean(List<float[]> texts) {
            double[] mean = new double[texts.getFirst().length];
            for (int head = 0; head < mean.length; head++) {
                double sum = 0;
                int count = 0;
                for (float[] text : texts) {
                    if (!Float.isNaN(text[head])) {
                        sum += text[head];
                        count++;
                    }
                }
                mean[head] = count == 0 ? Double.NaN : sum / count;
            }
            return mean;
        }
    }

    static ComparedRun read(Path folder) {
        Manifest manifest = Manifest.read(folder);
        return switch (manifest.analysis()) {
            case SpectraResult.ANALYSIS -> spectra(folder, manifest);
            case SaliencyResult.ANALYSIS -> saliency(folder, manifest);
            case FunctionsResult.ANALYSIS -> functions(folder, manifest);
            case GatesResult.ANALYSIS -> gates(folder, manifest);
            default -> throw new InputException("%s: a %s run cannot be compared".formatted(folder, manifest.analysis()));
        };
    }

    /** Means of the stored metrics; of eigenvalues, the mean over the k of a text. */
    private static ComparedRun spectra(Path folder, Manifest manifest) {
        SpectraResult run = SpectraResult.read(folder);
        SpectraValues values = run.values(folder);
        SequencedMap<String, Measure> measures = new LinkedHashMap<>();
        for (SpectraValues.Measured one : values.measured()) {
            int perHead = one.perHead().orElse(1);
            List<float[]> texts = one.texts().stream().map(text -> means(text, perHead)).toList();
            measures.put(one.metric(), new Measure(one.perHead().isPresent() ? "a mean of %d eigenvalues".formatted(perHead) : "",
                    Measure.mean(texts), texts));
        }
        SequencedSet<String> drawn = new LinkedHashSet<>(run.tested().keySet());
        drawn.retainAll(measures.keySet());
        return new ComparedRun(folder, manifest, values.layers(), values.heads(), measures,
                drawn.isEmpty() ? new LinkedHashSet<>(measures.keySet()) : drawn,
                new ComparedTexts(digest(manifest), run.samples().samples()));
    }

    private static float[] means(float[] values, int perHead) {
        float[] means = new float[values.length / perHead];
        for (int head = 0; head < means.length; head++) {
            double sum = 0;
            for (int i = 0; i < perHead; i++) {
                sum += values[head * perHead + i];
            }
            means[head] = (float) (sum / perHead);
        }
        return means;
    }

    private static ComparedRun saliency(Path folder, Manifest manifest) {
        SaliencyResult run = SaliencyResult.read(folder);
        String definition = "the saliency of %s%s".formatted(manifest.text("/settings/objective"),
                manifest.json().at("/settings/skip_first").asBoolean() ? " without the first token" : "");
        SequencedMap<String, Measure> measures = new LinkedHashMap<>();
        for (SaliencyColumn column : SaliencyColumn.values()) {
            measures.put(column.key(), new Measure(definition, run.means().get(column),
                    run.texts().stream().map(text -> text.heads().get(column)).toList()));
        }
        SaliencyColumn drawn = switch (run.cell()) {
            case MAX, THUMBNAIL -> SaliencyColumn.MAXIMUM;
            case MEAN -> SaliencyColumn.MEAN;
            case SHARE -> SaliencyColumn.AGGREGATE_SHARE;
        };
        List<SampleTable.Sample> texts = IntStream.range(0, run.texts().size())
                .mapToObj(i -> new SampleTable.Sample(i, 0, "", "", ""))
                .toList();
        return new ComparedRun(folder, manifest, run.layers(), run.heads(), measures,
                new LinkedHashSet<>(List.of(drawn.key())), new ComparedTexts(digest(manifest), texts));
    }

    private static ComparedRun functions(Path folder, Manifest manifest) {
        FunctionsResult run = FunctionsResult.read(folder);
        SequencedMap<String, Measure> measures = new LinkedHashMap<>();
        run.importance().forEach((function, values) -> measures.put(function, new Measure(values, List.of())));
        return new ComparedRun(folder, manifest, run.layers(), run.heads(), measures,
                new LinkedHashSet<>(measures.keySet()), new ComparedTexts("", List.of()));
    }

    private static ComparedRun gates(Path folder, Manifest manifest) {
        GatesResult run = GatesResult.read(folder);
        SequencedMap<String, Measure> measures = new LinkedHashMap<>();
        SequencedSet<String> drawn = new LinkedHashSet<>();
        for (GatesResult.Task task : run.tasks()) {
            task.scores().forEach((score, values) -> {
                List<String> names = new ArrayList<>();
                names.add("%s, %s (Always)".formatted(task.name(), Manifest.keyword(score)));
                names.add("%s, %s (Any)".formatted(task.name(), Manifest.keyword(score)));
                measures.put(names.getFirst(), new Measure(values.always(), List.of()));
                measures.put(names.getLast(), new Measure(values.any(), List.of()));
                GateScore shown = run.shown(task);
                if (score == shown) {
                    drawn.addAll(names);
                }
            });
        }
        return new ComparedRun(
                folder, manifest, run.layers(), run.heads(), measures, drawn, new ComparedTexts("", List.of()));
    }

    private static String digest(Manifest manifest) {
        return manifest.text("/texts/sha256");
    }

    String shape() {
        return "%d layers x %d heads".formatted(layers, heads);
    }
}
