package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.analysis.Join;
import headscope.analysis.LabelNames;
import headscope.analysis.Progress;
import headscope.analysis.RunRequest;
import headscope.analysis.answers.Answering;
import headscope.analysis.answers.ChoiceScore;
import headscope.analysis.answers.Match;
import headscope.analysis.spectra.SpectraRequest.PerSample;
import headscope.backend.DeviceChoice;
import headscope.metric.Metric;
import headscope.model.Sampler;
import headscope.picture.RunFigures;
import headscope.result.ResultFormatException;
import headscope.result.RunFolder;
import headscope.result.SampleTable;
import headscope.result.SpectraResult;
import headscope.result.SpectraView;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of stored values: equal to those of a run of the model with the same settings. */
class RetestTest {
    private static final Answering ANSWERING = new Answering(
            1, Match.NORMALISED, "\n", Sampler.GREEDY, 3, ChoiceScore.SUM, Join.AUTO, LabelNames.NUMBERS);

    private static final int TEXTS = 30;

    @TempDir
    private static Path runs;

    @TempDir
    private Path folder;

    /** Texts with ids, labels and the largest k; the same texts with other labels and a smaller k. */
    @BeforeAll
    static void run() throws IOException {
        model("stored", 6, i -> i % 2);
        model("other", 4, i -> i % 3 == 0 ? 1 : 0);
    }

    private interface Labels {
        int of(int text);
    }

    private static void model(String name, int k, Labels labels) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < TEXTS; i++) {
            String text = "a b ".repeat(4 + i % 7) + "the capital of aria is amber . ".repeat(1 + i % 4).strip();
            lines.add("{\"text\": \"%s\", \"label\": %d, \"id\": \"t%d\"}".formatted(text, labels.of(i), i));
        }
        Path texts = Files.write(runs.resolve(name + ".jsonl"), lines);
        SpectraRequest request = new SpectraRequest(
                new RunRequest(Path.of("models/demo"), runs.resolve(name), DeviceChoice.of("cpu"), false, false, "test"),
                texts.toString(), k, PerSample.MEAN, ANSWERING, 0, false,
                SpectraRequest.metrics(k, List.of(new Metric.Entropy())), SpectraView.PUBLISHED.drawn(),
                SpectraView.PUBLISHED, true, PerToken.NONE);
        try (Spectra spectra = Spectra.open(request, InputStream.nullInputStream())) {
            spectra.observe(Progress.SILENT);
            spectra.write(Progress.SILENT);
            spectra.commit();
        }
    }

    private RetestRequest request(Optional<String> labels, OptionalInt k, Optional<List<String>> metrics) {
        List<String> tested = metrics.orElse(SpectraView.PUBLISHED.drawn());
        return new RetestRequest(runs.resolve("stored"), labels, LabelNames.NUMBERS, folder.resolve("out"), false, "test", k,
                Optional.empty(), tested, new SpectraView(tested, SpectraView.Shown.P, true, 0.05), true, OptionalLong.empty());
    }

    private static SpectraSummary finish(RetestRequest request) {
        try (Retest retest = Retest.open(request)) {
            SpectraSummary summary = retest.write(Progress.SILENT);
            retest.commit();
            return summary;
        }
    }

    private void refused(String message, RetestRequest request) {
        assertEquals(message, assertThrows(RuntimeException.class, () -> finish(request)).getMessage());
        assertFalse(Files.exists(request.out()));
        assertFalse(Files.exists(folder.resolve("out.partial")));
    }

    private Optional<String> file(String name, String... lines) throws IOException {
        return Optional.of(Files.write(folder.resolve(name), List.of(lines)).toString());
    }

    @Test
    void sameSettingsGiveTheSameBytes() throws IOException {
        finish(request(Optional.empty(), OptionalInt.empty(), Optional.empty()));
        for (String name : List.of("heads.csv", "layers.csv", "samples.csv")) {
            assertArrayEquals(Files.readAllBytes(runs.resolve("stored").resolve(name)),
                    Files.readAllBytes(folder.resolve("out").resolve(name)), name);
        }
        SpectraResult old = SpectraResult.read(runs.resolve("stored"));
        SpectraResult found = SpectraResult.read(folder.resolve("out"));
        assertEquals(old.manifest().json().get("auroc"), found.manifest().json().get("auroc"));
        assertEquals(old.manifest().json().get("probes"), found.manifest().json().get("probes"));
        assertEquals(old.manifest().caption(), found.manifest().caption());
        assertEquals(old.manifest().text("/run"), found.manifest().text("/from/run"));
        assertEquals(64, found.manifest().text("/from/values_sha256").length());
    }

    /** What the model's run with these labels and this k found, from labels by index, by id, as CSV and as JSON lines. */
    @Test
    void otherLabelsAndFewerEigenvaluesAreThoseOfAnotherRun() throws IOException {
        List<String> byIndex = new ArrayList<>(List.of("answer,label,index"));
        List<String> byId = new ArrayList<>();
        for (int i = TEXTS - 1; i >= 0; i--) {
            int label = i % 3 == 0 ? 1 : 0;
            byIndex.add("x,%d,%d".formatted(label, i));
            byId.add("{\"id\": \"t%d\", \"label\": %d}".formatted(i, label));
        }
        Path other = runs.resolve("other");
        for (Optional<String> labels : List.of(
                file("labels.csv", byIndex.toArray(String[]::new)), file("labels.jsonl", byId.toArray(String[]::new)),
                Optional.of(other.resolve("samples.csv").toString()))) {
            finish(request(labels, OptionalInt.of(4), Optional.empty()));
            Path out = folder.resolve("out");
            assertArrayEquals(Files.readAllBytes(other.resolve("heads.csv")), Files.readAllBytes(out.resolve("heads.csv")));
            assertArrayEquals(
                    Files.readAllBytes(other.resolve("samples.csv")), Files.readAllBytes(out.resolve("samples.csv")));
            SpectraResult found = SpectraResult.read(out);
            assertEquals(
                    SpectraResult.read(other).manifest().json().get("auroc"), found.manifest().json().get("auroc"));
            assertEquals(labels.get(), found.manifest().text("/labels/path"));
            for (String name : List.of("heads.csv", "layers.csv", "samples.csv", "manifest.json", "")) {
                Files.delete(out.resolve(name));
            }
        }
    }

    /** The same file read with the names exchanged has the other labels and is another run. */
    @Test
    void labelsByName() throws IOException {
        List<String> lines = new ArrayList<>(List.of("index,label"));
        for (int i = 0; i < TEXTS; i++) {
            lines.add("%d,%s".formatted(i, i % 3 == 0 ? "bad" : "good"));
        }
        String labels = file("names.csv", lines.toArray(String[]::new)).orElseThrow();
        List<String> first = new ArrayList<>();
        Set<String> runs = new HashSet<>();
        for (String names : List.of("good,bad", "bad,good")) {
            Path out = folder.resolve(names);
            RetestRequest request = new RetestRequest(RetestTest.runs.resolve("stored"), Optional.of(labels), LabelNames.parse(names),
                    out, false, "test", OptionalInt.empty(), Optional.empty(), SpectraView.PUBLISHED.drawn(), SpectraView.PUBLISHED, false,
                    OptionalLong.empty());
            finish(request);
            SpectraResult found = SpectraResult.read(out);
            first.add(found.samples().samples().getFirst().label());
            runs.add(found.manifest().text("/run"));
            assertEquals(List.of(names.split(",")).toString(),
                    found.manifest().json().at("/labels/names").toString().replace("\"", "").replace(",", ", "));
        }
        assertEquals(List.of("1", "0"), first);
        assertEquals(2, runs.size());
    }

    @Test
    void otherMetricsAreTestedAndDrawn() {
        SpectraSummary summary =
                finish(request(Optional.empty(), OptionalInt.empty(), Optional.of(List.of("entropy"))));
        assertEquals(List.of("entropy"), List.copyOf(summary.shareP().keySet()));
        Path out = folder.resolve("out");
        assertEquals(List.of("entropy"), List.copyOf(SpectraResult.read(out).tested().keySet()));
        assertEquals("demo (gpt2, layers x heads: 12 x 12); 15 texts of label 0, 15 of label 1; two-sided Mann-Whitney U.",
                SpectraResult.read(out).manifest().caption());
        assertEquals("Entropy", RunFigures.of(out).get("spectra.png").panels().getFirst().title());
    }

    @Test
    void textsWithoutALabelAreNotTested() throws IOException {
        RetestRequest request = request(
                file("few.csv", "\uFEFFid,label", "t4,1", "t8,0", "t20,0"), OptionalInt.empty(), Optional.empty());
        try (Retest retest = Retest.open(request)) {
            assertEquals(TEXTS - 3, retest.unlabelled());
        }
        SpectraSummary summary = finish(request);
        assertEquals(2, summary.label0());
        assertEquals(1, summary.label1());
        assertEquals(List.of(4, 8, 20), SpectraResult.read(folder.resolve("out")).samples().samples().stream()
                .map(SampleTable.Sample::index).toList());
    }

    /** As in a samples.csv whose cells were emptied. */
    @Test
    void textsListedWithoutALabelAreNotTested() throws IOException {
        List<String> cells = new ArrayList<>(List.of("index,tokens,label"));
        List<String> nulls = new ArrayList<>();
        for (int i = 0; i < TEXTS; i++) {
            String label = i == 4 ? "1" : i == 8 || i == 20 ? "0" : "";
            cells.add("%d,3,%s".formatted(i, label));
            nulls.add("{\"id\": \"t%d\", \"label\": %s}".formatted(i, label.isEmpty() ? "null" : label));
        }
        for (Optional<String> labels : List.of(
                file("emptied.csv", cells.toArray(String[]::new)), file("nulls.jsonl", nulls.toArray(String[]::new)))) {
            try (Retest retest = Retest.open(request(labels, OptionalInt.empty(), Optional.empty()))) {
                assertEquals(TEXTS - 3, retest.unlabelled());
                SpectraSummary summary = retest.write(Progress.SILENT);
                assertEquals(2, summary.label0());
                assertEquals(1, summary.label1());
            }
        }
        Optional<String> none = file("none.csv", "index,lable", "0,1", "1,0");
        refused(none.get() + ": no text has a label; give \"label\": 0 or 1, in CSV a column \"label\", for every text to be tested",
                request(none, OptionalInt.empty(), Optional.empty()));
    }

    @Test
    void rejectsWhatTheRunDoesNotHold() throws IOException {
        Path stored = runs.resolve("stored");
        refused("--k 7: %s holds the 6 largest eigenvalues; choose at most 6, or run the model again".formatted(stored),
                request(Optional.empty(), OptionalInt.of(7), Optional.empty()));
        refused("--test confidence: %s holds only attention_eigenvalues, attention_score, entropy, laplacian"
                .formatted(stored), request(Optional.empty(), OptionalInt.empty(), Optional.of(List.of("confidence"))));
        Optional<String> strange = file("strange.csv", "index,label", "0,1", "99,0");
        refused("%s: there is no text with index \"99\" in %s, whose samples.csv lists them".formatted(strange.get(), stored),
                request(strange, OptionalInt.empty(), Optional.empty()));
    }

    @Test
    void rejectsFilesThatAreNotLabels() throws IOException {
        Optional<String> one = file("one.csv", "index,label", "0,1", "1,1");
        refused(one.get() + ": all 2 texts have label 1; a test needs both classes",
                request(one, OptionalInt.empty(), Optional.empty()));
        Optional<String> third = file("third.csv", "index,label", "0,1", "1,2");
        refused(third.get() + ": line 3: label must be 0 or 1 (or false or true; other names by --label-names), not \"2\"",
                request(third, OptionalInt.empty(), Optional.empty()));
        Optional<String> twice = file("twice.csv", "index,label", "0,1", "0,0");
        refused(twice.get() + ": line 3: text \"0\" is in an earlier line",
                request(twice, OptionalInt.empty(), Optional.empty()));
        Optional<String> bare = file("bare.csv", "label", "1");
        refused(bare.get() + ": line 2: must be {\"index\": 0, \"label\": 0 or 1} or {\"id\": \"...\", \"label\": 0 or 1}, "
                + "with the same fields in every line; those of CSV are columns",
                request(bare, OptionalInt.empty(), Optional.empty()));
        Optional<String> other = file("labels.txt", "0");
        refused(other.get() + ": contains no texts; a line is {\"index\": 0, \"label\": 0 or 1} or {\"id\": \"...\", \"label\": 0 or 1}",
                request(other, OptionalInt.empty(), Optional.empty()));
        Optional<String> mixed = file("mixed.jsonl", "{\"index\": 0, \"label\": 1}", "{\"id\": \"t1\", \"label\": 0}");
        refused(mixed.get() + ": line 2: must be {\"index\": 0, \"label\": 0 or 1} or {\"id\": \"...\", \"label\": 0 or 1}, "
                + "with the same fields in every line; those of CSV are columns", request(mixed, OptionalInt.empty(), Optional.empty()));
    }

    /** A program that is being terminated deletes what it has written and writes no more. */
    @Test
    void abandonedRunsLeaveNothing() throws InterruptedException {
        CountDownLatch abandoned = new CountDownLatch(1);
        Thread program = Thread.ofVirtual().start(() -> {
            try (Retest retest = Retest.open(request(Optional.empty(), OptionalInt.empty(), Optional.empty()))) {
                retest.write((done, of) -> {
                    if (abandoned.getCount() > 0) {
                        assertTrue(Files.exists(folder.resolve("out.partial")));
                        Thread.ofVirtual().start(() -> {
                            retest.abandon();
                            abandoned.countDown();
                        });
                        awaitUninterrupted(abandoned);
                    }
                });
                retest.commit();
            }
        });
        abandoned.await();
        assertFalse(program.join(Duration.ofMillis(100))); // waits for ever
        assertFalse(Files.exists(folder.resolve("out.partial")));
        assertFalse(Files.exists(folder.resolve("out")));
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
        }
    }

    @Test
    void publishedRunsAreNotAbandoned() {
        RetestRequest request = request(Optional.empty(), OptionalInt.empty(), Optional.empty());
        try (Retest retest = Retest.open(request)) {
            retest.write(Progress.SILENT);
            retest.commit();
            retest.abandon();
        }
        assertEquals(TEXTS, SpectraResult.read(request.out()).samples().samples().size());
    }

    /** The message does not offer --resume. */
    @Test
    void interruptedRunsAreNotTakenOver() {
        RetestRequest request = request(Optional.empty(), OptionalInt.empty(), Optional.empty());
        try (RunFolder interrupted = RunFolder.begin(request.out(), false, false)) {
            Files.writeString(interrupted.progress("part"), "x");
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        assertEquals("%s.partial: contains an interrupted run; choose another --out, or delete it with --overwrite"
                .formatted(request.out()), assertThrows(RuntimeException.class, () -> finish(request)).getMessage());
        assertTrue(Files.exists(folder.resolve("out.partial/.headscope-progress/part")));
    }

    /** The values stay in the first run. */
    @Test
    void namesTheRunThatHasTheValues() {
        finish(request(Optional.empty(), OptionalInt.empty(), Optional.empty()));
        Path first = folder.resolve("out");
        RetestRequest again = new RetestRequest(first, Optional.empty(), LabelNames.NUMBERS, folder.resolve("again"), false, "test",
                OptionalInt.empty(), Optional.empty(), SpectraView.PUBLISHED.drawn(), SpectraView.PUBLISHED, false, OptionalLong.empty());
        assertEquals("%s: has no values of its own; give the run that it was made from: %s"
                .formatted(first, runs.resolve("stored")),
                assertThrows(ResultFormatException.class, () -> Retest.open(again)).getMessage());
        RetestRequest nowhere = new RetestRequest(folder, Optional.empty(), LabelNames.NUMBERS, folder.resolve("again"), false, "test",
                OptionalInt.empty(), Optional.empty(), SpectraView.PUBLISHED.drawn(), SpectraView.PUBLISHED, false, OptionalLong.empty());
        assertThrows(ResultFormatException.class, () -> Retest.open(nowhere));
    }
}
