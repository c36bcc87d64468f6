package headscope.result;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * The run folder of a spectra analysis, without its {@link SpectraValues}: {@code manifest.json}, {@code heads.csv},
 * {@code samples.csv}.
 */
public record SpectraResult(
        Manifest manifest, int layers, int heads, TestedHeads attentionScore, TestedHeads laplacian,
        SampleTable samples) {
    /** {@link Manifest#analysis} of the run. */
    public static final String ANALYSIS = "spectra";

    /** Manifest key: whether the figure marks heads with q below 0.05. */
    public static final String MARK_SIGNIFICANT = "mark_significant";

    private static final String ATTENTION_SCORE = "attention_score";
    private static final String LAPLACIAN = "laplacian";

    /** @throws RunFolderException if a file cannot be written */
    public void write(RunFolder folder) {
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        putTests(columns, ATTENTION_SCORE, attentionScore);
        putTests(columns, LAPLACIAN, laplacian);
        putMeans(columns, ATTENTION_SCORE, attentionScore);
        putMeans(columns, LAPLACIAN, laplacian);
        new HeadTable(layers, heads, columns).write(folder.file(HeadTable.FILE));
        samples.write(folder.file(SampleTable.FILE));
        manifest.write(folder.file(RunFolder.MANIFEST));
    }

    private static void putTests(SequencedMap<String, double[]> columns, String measure, TestedHeads tested) {
        columns.put(measure + "_p", tested.p());
        columns.put(measure + "_q", tested.q());
        columns.put(measure + "_effect", tested.effect());
    }

    private static void putMeans(SequencedMap<String, double[]> columns, String measure, TestedHeads tested) {
        columns.put(measure + "_mean_0", tested.mean0());
        columns.put(measure + "_mean_1", tested.mean1());
    }

    /** @throws ResultFormatException if a file is missing or malformed */
    public static SpectraResult read(Path folder) {
        Path file = folder.resolve(HeadTable.FILE);
        HeadTable table = HeadTable.read(file);
        return new SpectraResult(
                Manifest.read(folder), table.layers(), table.heads(), tested(file, table, ATTENTION_SCORE),
                tested(file, table, LAPLACIAN), SampleTable.read(folder.resolve(SampleTable.FILE)));
    }

    private static TestedHeads tested(Path file, HeadTable table, String measure) {
        return new TestedHeads(
                table.column(file, measure + "_p"), table.column(file, measure + "_q"),
                table.column(file, measure + "_effect"), table.column(file, measure + "_mean_0"),
                table.column(file, measure + "_mean_1"));
    }

    public boolean markSignificant() {
        return manifest.flag("/" + MARK_SIGNIFICANT);
    }
}
