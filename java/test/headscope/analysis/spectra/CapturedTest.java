package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.Tolerance;
import headscope.analysis.InputException;
import headscope.analysis.LabelNames;
import headscope.analysis.Progress;
import headscope.analysis.RunRequest;
import headscope.backend.Backend;
import headscope.backend.DeviceChoice;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.picture.RunFigures;
import headscope.result.SampleTable;
import headscope.result.SpectraResult;
import headscope.result.SpectraValues;
import headscope.result.SpectraView;
import headscope.result.tapped.CapturedFile;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Values of captured queries and keys equal those of a run of the model on the same texts. */
class CapturedTest {
    private static final Path MODEL = Path.of("models/demo");
    private static final int TEXTS = 12;
    private static final List<Metric> METRICS =
            SpectraRequest.metrics(6, List.of(new Metric.Entropy(), new Metric.FiedlerValue()));

    private static final List<String> TESTED = List.of("attention_score", "laplacian", "fiedler_value");

    @TempDir
    private static Path folder;

    private static final List<Path> FILES = new ArrayList<>();

    private static String text(int i) {
        return "a b ".repeat(4 + i % 7) + "the capital of aria is amber . ".repeat(1 + i % 4).strip();
    }

    @BeforeAll
    static void captureTexts() {
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(MODEL);
                Tokenizer tokenizer = Tokenizer.open(MODEL, checkpoint.config());
                Transformer model = new Transformer(checkpoint, backend)) {
            for (int i = 0; i < TEXTS; i++) {
                FILES.add(CapturedFile.write(model, tokenizer.encode(text(i)), folder.resolve("text%02d.safetensors".formatted(i)),
                        Map.of("format", "headscope-captured", "version", "1", "label", Integer.toString(i % 2))));
            }
            CapturedFile.write(model, tokenizer.encode(text(0)), folder.resolve("unlabelled.safetensors"),
                    Map.of("format", "headscope-captured", "version", "1"));
            CapturedFile.write(model, tokenizer.encode(text(0)), folder.resolve("newer.safetensors"),
                    Map.of("format", "headscope-captured", "version", "2"));
        }
    }

    private static DeviceChoice cpu() {
        return DeviceChoice.of("cpu");
    }

    private static CapturedRequest request(List<Path> files, Optional<String> labels, int k, boolean skipShort, Path out) {
        return new CapturedRequest(files, labels, LabelNames.NUMBERS, cpu(), out, false, "spectra", skipShort,
                SpectraRequest.metrics(k, METRICS.subList(3, METRICS.size())), k, SpectraRequest.PerSample.MEAN,
                TESTED, SpectraView.PUBLISHED, true, 0);
    }

    private static SpectraResult run(CapturedRequest request) {
        try (Captured captured = Captured.open(request, notice -> {})) {
            captured.observe(Progress.SILENT);
            captured.write(Progress.SILENT);
            captured.commit();
        }
        return SpectraResult.read(request.out());
    }

    private static SpectraResult runOfTheModel(Path out) throws IOException {
        List<String> lines = IntStream.range(0, TEXTS)
                .mapToObj(i -> "{\"text\": \"%s\", \"label\": %d}".formatted(text(i), i % 2)).toList();
        Path texts = Files.write(folder.resolve("texts.jsonl"), lines);
        RunRequest run = new RunRequest(MODEL, out, cpu(), false, false, "spectra");
        SpectraRequest defaults = SpectraRequest.of(run, texts.toString());
        SpectraRequest request = new SpectraRequest(
                run, texts.toString(), 6, defaults.perSample(), defaults.answering(), 0, false, METRICS, TESTED,
                SpectraView.PUBLISHED, true, PerToken.NONE);
        try (Spectra spectra = Spectra.open(request, InputStream.nullInputStream())) {
            spectra.observe(Progress.SILENT);
            spectra.write(Progress.SILENT);
            spectra.commit();
        }
        return SpectraResult.read(out);
    }

    @Test
    void valuesAndTestsEqualThoseOfTheModel(@TempDir Path runs) throws IOException {
        SpectraResult expected = runOfTheModel(runs.resolve("model"));
        SpectraResult actual = run(request(FILES, Optional.empty(), 6, false, runs.resolve("captured")));
        SpectraValues own = SpectraValues.read(runs.resolve("model"));
        SpectraValues captured = SpectraValues.read(runs.resolve("captured"));
        assertArrayEquals(own.labels(), captured.labels());
        for (Metric metric : METRICS) {
            List<float[]> texts = own.find(metric.key()).orElseThrow().texts();
            for (int i = 0; i < TEXTS; i++) {
                assertArrayEquals(texts.get(i), captured.find(metric.key()).orElseThrow().texts().get(i),
                        Tolerance.fp32(texts.get(i)), metric.key());
            }
        }
        assertEquals(TESTED, List.copyOf(actual.tested().keySet()));
        assertEquals(expected.tested().keySet(), actual.tested().keySet());
        assertEquals("captured (layers x heads: %d x %d); 6 texts of label 0, 6 of label 1".formatted(own.layers(), own.heads()),
                actual.manifest().caption().replaceAll("; k = .*", ""));
        assertEquals(List.of("spectra.png", "spectra-layers.png"),
                List.copyOf(RunFigures.of(runs.resolve("captured")).keySet()));
        assertEquals("text03.safetensors", actual.samples().samples().get(3).id());
    }

    @Test
    void labelsMayComeFromAFile(@TempDir Path runs) throws IOException {
        List<String> lines = new ArrayList<>(List.of("id,label"));
        IntStream.range(0, TEXTS - 1).forEach(i -> lines.add("text%02d.safetensors,%d".formatted(i, i < 5 ? 0 : 1)));
        Path labels = Files.write(runs.resolve("labels.csv"), lines);
        SpectraResult result = run(request(FILES, Optional.of(labels.toString()), 6, false, runs.resolve("run")));
        assertEquals(TEXTS - 1, result.samples().samples().size());
        assertEquals(List.of("0", "1"), result.samples().samples().subList(4, 6).stream().map(SampleTable.Sample::label).toList());
        assertEquals(1, result.manifest().json().at("/labels/unlabelled_texts").asInt());
    }

    @Test
    void shortTextsAreSkippedOnRequest(@TempDir Path runs) {
        SpectraResult result = run(request(FILES, Optional.empty(), 30, true, runs.resolve("run")));
        int skipped = result.manifest().json().at("/samples/skipped").asInt();
        assertEquals(TEXTS, skipped + result.samples().samples().size());
        assertFalse(skipped == 0);
    }

    private static String rejection(List<Path> files, int k, Path runs) {
        RuntimeException thrown = assertThrows(RuntimeException.class,
                () -> Captured.open(request(files, Optional.empty(), k, false, runs.resolve("run")), notice -> {}));
        assertEquals(true, thrown instanceof InputException || thrown instanceof ModelFormatException, thrown.toString());
        return thrown.getMessage().replace(folder + "/", "");
    }

    @Test
    void unusableFilesAreRejectedInOneLine(@TempDir Path runs) {
        assertEquals("unlabelled.safetensors: has no label; give headscope_tap.save label 0 or 1, or give --labels FILE",
                rejection(List.of(folder.resolve("unlabelled.safetensors")), 6, runs));
        assertEquals("newer.safetensors: has version 2 of captured queries and keys, this program reads version 1",
                rejection(List.of(folder.resolve("newer.safetensors")), 6, runs));
        assertEquals("models/demo/model.safetensors: holds no captured queries and keys; write it with headscope_tap.save",
                rejection(List.of(MODEL.resolve("model.safetensors")), 6, runs));
        assertEquals("text00.safetensors: 16 tokens give 16 eigenvalues, but --k is 1000: lower --k, or skip such texts with --short skip",
                rejection(FILES, 1000, runs));
        assertFalse(Files.exists(runs.resolve("run")));
    }

    @Test
    void aFileIsCountedOnce(@TempDir Path runs) throws IOException {
        Path first = FILES.getFirst();
        Path again = folder.resolve(".").resolve(first.getFileName());
        Path link = Files.createSymbolicLink(folder.resolve("link"), first);
        String rule = "; name every file once, because each counts as a text of its own";
        assertEquals("--captured: text00.safetensors is given twice" + rule, rejection(List.of(first, FILES.getLast(), first), 6, runs));
        assertEquals("--captured: ./text00.safetensors is given twice, also as text00.safetensors" + rule,
                rejection(List.of(first, again), 6, runs));
        assertEquals("--captured: text00.safetensors is given twice, also as link" + rule, rejection(List.of(link, first), 6, runs));
        assertFalse(Files.exists(runs.resolve("run")));
    }
}
