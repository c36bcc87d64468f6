package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.analysis.DemoRuns;
import headscope.analysis.Join;
import headscope.analysis.LabelNames;
import headscope.analysis.Progress;
import headscope.analysis.answers.Answering;
import headscope.analysis.answers.ChoiceScore;
import headscope.analysis.answers.Match;
import headscope.analysis.statistics.BenjaminiHochberg;
import headscope.analysis.statistics.MannWhitney;
import headscope.metric.Metric;
import headscope.model.Sampler;
import headscope.picture.RunFigures;
import headscope.result.HeadTable;
import headscope.result.ResultFormatException;
import headscope.result.RunFolderException;
import headscope.result.SampleTable;
import headscope.result.SpectraResult;
import headscope.result.SpectraValues;
import headscope.result.SpectraView;
import headscope.tensor.Safetensors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Complete runs on the demo checkpoint. */
class SpectraTest {
    private static final int TEXTS = 40;
    private static final int LAYERS = 12;
    private static final int HEADS = 12;
    private static final int K = 10;
    /** Without the spectra of symmetric matrices, which take the most time. */
    private static final List<Metric> ROW_METRICS =
            Metric.all(K).stream().filter(metric -> !(metric instanceof Metric.Symmetric)).toList();

    @TempDir
    private static Path reference;

    @TempDir
    private Path folder;

    /** An uninterrupted run. */
    @BeforeAll
    static void run() {
        SpectraSummary summary = finish(demo(reference.resolve("run"), false));
        assertEquals(TEXTS, summary.label0() + summary.label1());
        assertEquals(LAYERS * HEADS, summary.heads());
        assertEquals(0, summary.skipped());
    }

    private static SpectraRequest demo(Path out, boolean resume) {
        return request("data/qa.jsonl", out, K, TEXTS, false, resume, ROW_METRICS);
    }

    private static SpectraRequest request(Path texts, Path out, boolean skipShort) {
        return request(texts.toString(), out, 5, 0, skipShort, false, Metric.all(5));
    }

    private static SpectraRequest request(
            String texts, Path out, int k, int limit, boolean skipShort, boolean resume, List<Metric> metrics) {
        return new SpectraRequest(
                DemoRuns.request(out, resume), texts, k, SpectraRequest.PerSample.MEAN,
                new Answering(2, Match.NORMALISED, "", new Sampler(0.5, 0.9), 7, ChoiceScore.SUM, Join.AUTO, LabelNames.NUMBERS),
                limit, skipShort, SpectraRequest.metrics(k, metrics), SpectraView.PUBLISHED.drawn(), SpectraView.PUBLISHED, true,
                PerToken.NONE);
    }

    private static Spectra open(SpectraRequest request) {
        return Spectra.open(request, InputStream.nullInputStream());
    }

    private static SpectraSummary finish(SpectraRequest request) {
        return DemoRuns.finish(open(request), request.run().out(), spectra -> {
            spectra.observe(Progress.SILENT);
            return spectra.write(Progress.SILENT);
        });
    }

    private Path texts(String... lines) throws IOException {
        return Files.write(folder.resolve("texts.jsonl"), List.of(lines));
    }

    private static String labelled(int words, int label) {
        return "{\"text\": \"%s\", \"label\": %d}".formatted("a ".repeat(words).strip(), label);
    }

    private static void rejects(String message, SpectraRequest request) {
        DemoRuns.assertRejected(message, request.run().out(), () -> finish(request));
    }

    @Test
    void writesItsFilesOnly() throws IOException {
        assertEquals(List.of("heads.csv", "layers.csv", "manifest.json", "samples.csv", "values.safetensors"),
                DemoRuns.files(reference.resolve("run")));
        assertEquals(List.of("run"), DemoRuns.files(reference));
    }

    /** Recomputes every column from values.safetensors by counting pairs. */
    @Test
    void headsAgreeWithValues() {
        HeadTable table = HeadTable.read(reference.resolve("run/heads.csv"));
        assertEquals(LAYERS, table.layers());
        assertEquals(HEADS, table.heads());
        try (Safetensors values = Safetensors.open(reference.resolve("run/values.safetensors"))) {
            long[] labels = values.get("label").longs();
            assertArrayEquals(new long[] {TEXTS, LAYERS, HEADS, K}, values.get("laplacian").shape());
            assertArrayEquals(new long[] {TEXTS, LAYERS, HEADS}, values.get("attention_score").shape());
            compare(table, "attention_score", labels, values.get("attention_score").floats(), 1);
            compare(table, "laplacian", labels, values.get("laplacian").floats(), K);
            List<SampleTable.Sample> samples = SampleTable.read(reference.resolve("run/samples.csv")).samples();
            for (int i = 0; i < TEXTS; i++) {
                SampleTable.Sample sample = samples.get(i);
                assertEquals(i, sample.index());
                assertEquals(Long.toString(labels[i]), sample.label());
                assertEquals(labels[i] == 0, Match.NORMALISED.accepts(sample.answer(), List.of(sample.expected())));
            }
        }
    }

    /** @param values [texts, heads of all layers, perText] */
    private static void compare(HeadTable table, String metric, long[] labels, float[] values, int perText) {
        double[] p = new double[LAYERS * HEADS];
        for (int head = 0; head < p.length; head++) {
            double[] right = sample(labels, values, perText, head, 0);
            double[] wrong = sample(labels, values, perText, head, 1);
            double above = 0;
            for (double x : wrong) {
                for (double y : right) {
                    above += x > y ? 1 : x == y ? 0.5 : 0;
                }
            }
            double effect = 2 * above / (right.length * wrong.length) - 1;
            String what = metric + " of head " + head;
            assertEquals(effect, table.column(metric + "_effect")[head], Tolerance.fp64(TEXTS * K), what);
            assertEquals(mean(right), table.column(metric + "_mean_0")[head], Tolerance.fp64(TEXTS * K), what);
            assertEquals(mean(wrong), table.column(metric + "_mean_1")[head], Tolerance.fp64(TEXTS * K), what);
            p[head] = MannWhitney.test(wrong, right).p();
        }
        assertArrayEquals(p, table.column(metric + "_p"));
        assertArrayEquals(BenjaminiHochberg.qValues(p), table.column(metric + "_q"));
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    private static double[] sample(long[] labels, float[] values, int perText, int head, int label) {
        return IntStream.range(0, labels.length)
                .filter(text -> labels[text] == label)
                .mapToDouble(text -> IntStream.range(0, perText)
                        .mapToDouble(i -> values[(text * LAYERS * HEADS + head) * perText + i])
                        .average()
                        .orElseThrow())
                .toArray();
    }

    /** The ranges hold for causal attention; eigenvalues are sorted in descending order. */
    @Test
    void valuesAreInTheirRanges() {
        checkRanges(reference.resolve("run"), ROW_METRICS, K);
    }

    private static void checkRanges(Path run, List<Metric> metrics, int k) {
        try (Safetensors values = Safetensors.open(run.resolve("values.safetensors"))) {
            for (Metric metric : metrics) {
                float[] all = values.get(metric.key()).floats();
                for (int i = 0; i < all.length; i++) {
                    double value = all[i];
                    boolean inside = switch (metric) {
                        case Metric.AttentionScore m -> value <= 0;
                        case Metric.LaplacianEigenvalues m -> value >= -1 && value <= 1;
                        case Metric.MeanDistance m -> value >= 0 && value < 64;
                        case Metric.Entropy m -> value >= 0 && value <= Math.log(128);
                        case Metric.SpectralEntropy m -> value >= 0 && value <= Math.log(128);
                        case Metric.FiedlerValue m -> value >= -1e-6 && value <= 2;
                        case Metric.LargestEigenvalue m -> value > 0 && value <= 2.000001;
                        default -> value >= 0 && value <= 1.000001;
                    };
                    assertTrue(inside, metric.key() + " is " + value);
                    if (metric instanceof Metric.Spectrum && i % k > 0) {
                        assertTrue(value <= all[i - 1], metric.key() + " is not sorted");
                    }
                }
            }
        }
    }

    @Test
    void equalRequestsGiveEqualBytes() throws IOException {
        finish(demo(folder.resolve("run"), false));
        DemoRuns.assertSameFiles(reference.resolve("run"), folder.resolve("run"));
    }

    @Test
    void resumesAfterAnInterruption() throws IOException {
        Path out = folder.resolve("run");
        try (Spectra spectra = open(demo(out, false))) {
            DemoRuns.interrupt(10, spectra::observe);
        }
        assertFalse(Files.exists(out));
        try (Stream<Path> left = Files.walk(folder)) {
            assertEquals(10, left.filter(file -> file.toString().endsWith(".safetensors")).count());
        }
        assertThrows(RunFolderException.class, () -> open(demo(out, false)));
        finish(demo(out, true));
        DemoRuns.assertSameFiles(reference.resolve("run"), out);
    }

    @Test
    void rejectsResumingWithOtherInput() {
        Path out = folder.resolve("run");
        try (Spectra spectra = open(demo(out, false))) {
            DemoRuns.interrupt(1, spectra::observe);
        }
        SpectraRequest other = request("data/qa.jsonl", out, K + 1, TEXTS, false, true, ROW_METRICS);
        DemoRuns.assertNotResumed(out, "settings.k, settings.metrics", () -> finish(other));
    }

    @Test
    void rejectsASecondRunAtTheSameTime() {
        Path out = folder.resolve("run");
        try (Spectra first = open(demo(out, false))) {
            String message = assertThrows(RunFolderException.class, () -> open(demo(out, true))).getMessage();
            assertTrue(message.endsWith("is being written by another run; wait for it to finish, or choose another --out"), message);
            assertTrue(Files.exists(first.folder()));
        }
    }

    @Test
    void rejectsTextsOfOneClass() throws IOException {
        Path same = texts(labelled(20, 1), labelled(21, 1));
        rejects(same + ": all 2 texts have label 1; a test needs both classes",
                request(same, folder.resolve("run"), false));
    }

    /** Labels that only the model's answers decide: the values are published although there is nothing to test. */
    @Test
    void publishesValuesIfAllAnswersAreWrong() throws IOException {
        Path wrong = texts("{\"prompt\": \"a a a a a a\", \"answer\": \"no such word\", \"id\": \"q1\"}",
                "{\"prompt\": \"a b a b a b\", \"answer\": \"no such word\", \"id\": 2}");
        Path out = folder.resolve("run");
        SpectraSummary summary = finish(request(wrong, out, false));
        assertEquals(Optional.of("all 2 answers are wrong; a test needs both classes"), summary.untested());
        assertFalse(Files.exists(out.resolve("heads.csv")));
        SpectraResult result = SpectraResult.read(out);
        assertEquals(Map.of(), result.tested());
        assertEquals(LAYERS, result.layers());
        assertEquals(List.of("q1", "2"), result.samples().samples().stream().map(SampleTable.Sample::id).toList());
        assertEquals(2, SpectraValues.read(out).labels().length);
        assertEquals(out + ": has no tests to draw: all 2 answers are wrong; a test needs both classes; spectra --from tests"
                + " it with other labels",
                assertThrows(ResultFormatException.class, () -> RunFigures.of(out)).getMessage());
    }

    @Test
    void rejectsIdsThatDoNotNameOneText() throws IOException {
        Path twice = texts("{\"prompt\": \"a a a a a\", \"answer\": \"b\", \"id\": 1}",
                "{\"prompt\": \"a a a a a\", \"answer\": \"b\", \"id\": \"1\"}");
        rejects(twice + ": line 2: the id \"1\" is already that of an earlier entry", request(twice, folder.resolve("run"), false));
        Path list = texts("{\"prompt\": \"a a a a a\", \"answer\": \"b\", \"id\": []}");
        rejects(list + ": line 1: id must be a string or a whole number", request(list, folder.resolve("run"), false));
    }

    /** The tokenizer adds a beginning of text: three words are four tokens. */
    @Test
    void rejectsOrSkipsShortTexts() throws IOException {
        String[] lines = {labelled(20, 0), labelled(20, 1), labelled(3, 1), labelled(4, 0), labelled(30, 1)};
        Path texts = texts(lines);
        Path out = folder.resolve("run");
        rejects(texts + ": line 3: 4 tokens give 4 eigenvalues, but --k is 5: lower --k, or skip such texts "
                + "with --short skip", request(texts, out, false));
        SpectraSummary summary = finish(request(texts, out, true));
        assertEquals(1, summary.skipped());
        assertEquals(2, summary.label0());
        assertEquals(2, summary.label1());
        assertEquals(List.of(0, 1, 3, 4), SampleTable.read(out.resolve("samples.csv")).samples().stream()
                .map(SampleTable.Sample::index).toList());
        checkRanges(out, Metric.all(5), 5);
    }

    @Test
    void rejectsTextsThatTheModelCannotProcess() throws IOException {
        Path out = folder.resolve("run");
        Path longText = texts(labelled(127, 0), labelled(128, 1));
        rejects(longText + ": line 2: 129 tokens; the model takes at most 128: shorten the text",
                request(longText, out, false));
        Path question = texts("{\"prompt\": \"" + "a ".repeat(127) + "\", \"answer\": \"b\"}");
        rejects(question + ": line 1: 128 tokens and up to 2 new ones; the model takes at most 128: shorten the text "
                + "or lower --max-new-tokens", request(question, out, false));
    }
}
