package headscope.result;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The run folder of a spectra analysis, without its {@link SpectraValues}: {@code manifest.json}, {@code heads.csv},
 * {@code samples.csv}, {@code layers.csv}.
 *
 * @param tested by metric; empty, without {@code heads.csv}, if all texts have one label
 * @param probes of each layer; empty if none was fitted
 */
public record SpectraResult(
        Manifest manifest, int layers, int heads, SequencedMap<String, TestedHeads> tested, SampleTable samples,
        Optional<LayerAuroc> probes) {
    /** {@link Manifest#analysis} of the run. */
    public static final String ANALYSIS = "spectra";

    /** Manifest key: the caption of the figure of {@link LayerAuroc}. */
    public static final String LAYERS_CAPTION = "layers_caption";

    /** Manifest key: why there are no tests. */
    public static final String UNTESTED = "untested";

    private static final String P = "_p";
    private static final String AUROC = "_auroc";

    public SpectraResult {
        tested = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(tested));
    }

    /** @throws RunFolderException if a file cannot be written */
    public void write(RunFolder folder) {
        if (!tested.isEmpty()) {
            SequencedMap<String, double[]> columns = new LinkedHashMap<>();
            tested.forEach((metric, one) -> {
                columns.put(metric + P, one.p());
                columns.put(metric + "_q", one.q());
                columns.put(metric + "_effect", one.effect());
            });
            tested.forEach((metric, one) -> {
                columns.put(metric + "_mean_0", one.mean0());
                columns.put(metric + "_mean_1", one.mean1());
            });
            tested.forEach((metric, one) -> columns.put(metric + AUROC, one.auroc()));
            new HeadTable(layers, heads, columns).write(folder.file(HeadTable.FILE));
        }
        probes.ifPresent(layers -> layers.write(folder));
        samples.write(folder.file(SampleTable.FILE));
        manifest.write(folder.file(RunFolder.MANIFEST));
    }

    /**
     * The values of this run, one of each text.
     *
     * @throws ResultFormatException if the run was made from the values of another one, or if its files contradict each other
     */
    public SpectraValues values(Path folder) {
        String origin = manifest.text("/from/path");
        if (!origin.isEmpty() && !Files.exists(folder.resolve(ValuesFile.FILE))) {
            throw new ResultFormatException(folder,
                    "has no values of its own; give the run that it was made from: " + origin);
        }
        SpectraValues values = SpectraValues.read(folder);
        if (samples.samples().size() != values.labels().length) {
            throw new ResultFormatException(folder, "%s lists %d texts, %s holds %d".formatted(
                    SampleTable.FILE, samples.samples().size(), ValuesFile.FILE, values.labels().length));
        }
        return values;
    }

    /** @throws ResultFormatException if a file is missing or malformed */
    public static SpectraResult read(Path folder) {
        Manifest manifest = Manifest.read(folder);
        SampleTable samples = SampleTable.read(folder.resolve(SampleTable.FILE));
        if (!manifest.text("/" + UNTESTED).isEmpty()) {
            return new SpectraResult(manifest, manifest.json().at("/model/layers").asInt(),
                    manifest.json().at("/model/heads").asInt(), new LinkedHashMap<>(), samples, Optional.empty());
        }
        Path file = folder.resolve(HeadTable.FILE);
        HeadTable table = HeadTable.read(file);
        List<String> metrics = table.names().stream()
                .filter(column -> column.endsWith(P))
                .map(column -> column.substring(0, column.length() - P.length()))
                .toList();
        SequencedMap<String, TestedHeads> tested = new LinkedHashMap<>();
        for (String metric : metrics) {
            tested.put(metric, tested(file, table, metric));
        }
        if (tested.isEmpty()) {
            throw new ResultFormatException(file, 1, "has no column of p-values, such as attention_score_p");
        }
        return new SpectraResult(manifest, table.layers(), table.heads(), tested, samples, LayerAuroc.read(folder));
    }

    private static TestedHeads tested(Path file, HeadTable table, String metric) {
        double[] p = table.column(file, metric + P);
        double[] q = table.column(file, metric + "_q");
        double[] effect = table.column(file, metric + "_effect");
        double[] mean0 = table.column(file, metric + "_mean_0");
        double[] mean1 = table.column(file, metric + "_mean_1");
        return table.names().contains(metric + AUROC)
                ? new TestedHeads(p, q, effect, mean0, mean1, table.column(metric + AUROC))
                : new TestedHeads(p, q, effect, mean0, mean1);
    }

    /** What the figure shows. */
    public SpectraView view() {
        return SpectraView.read(manifest, List.copyOf(tested.keySet()));
    }

    /** Why there are no tests; empty if there are. */
    public String untested() {
        return manifest.text("/" + UNTESTED);
    }
}
