package headscope.analysis.answers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.analysis.DemoRuns;
import headscope.analysis.Fields;
import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.analysis.LabelNames;
import headscope.analysis.Progress;
import headscope.analysis.Prompting;
import headscope.analysis.RunRequest;
import headscope.analysis.spectra.Spectra;
import headscope.analysis.spectra.SpectraRequest;
import headscope.backend.DeviceChoice;
import headscope.model.Sampler;
import headscope.result.RunFolderException;
import headscope.result.SampleTable;
import headscope.result.SampleTable.Sample;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of the demo checkpoint's answers. */
class AnswersTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Sampler SAMPLED = new Sampler(1.2, 0.95);
    private static final int TEXTS = 12;

    @TempDir
    private Path folder;

    private static Answering settings(Sampler sampler, long seed) {
        return new Answering(4, Match.PREFIX, " .", sampler, seed, ChoiceScore.PER_TOKEN, Join.AUTO, LabelNames.NUMBERS);
    }

    private RunRequest run(String out, boolean resume, boolean overwrite) {
        return new RunRequest(DemoRuns.MODEL, folder.resolve(out), DeviceChoice.of("cpu"), resume, overwrite, "test");
    }

    private AnswersRequest request(String texts, String out, Answering settings, int samples) {
        return new AnswersRequest(run(out, false, false), texts, settings, samples, 0);
    }

    private static AnswersSummary finish(AnswersRequest request) {
        try (Answers answers = Answers.open(request, InputStream.nullInputStream())) {
            answers.answer(Progress.SILENT);
            assertFalse(Files.exists(request.run().out()) && !request.run().overwrite());
            return answers.publish();
        }
    }

    /** Questions, a choice, and a question with a given label. */
    private String texts() throws IOException {
        List<String> lines = new ArrayList<>(Files.readAllLines(Path.of("data/qa.jsonl")).subList(0, TEXTS));
        lines.add("{\"id\": \"c\", \"prompt\": \"the capital of boria is birch . the capital of boria is\", \"choices\": [\"elder\","
                + " \"birch\", \"birch . elder\"], \"answer\": 1}");
        lines.add("{\"id\": 7, \"prompt\": \"six minus three equals\", \"label\": true, \"note\": \"h\u00f6her\"}");
        return Files.write(folder.resolve("texts.jsonl"), lines).toString();
    }

    private static Answering atATime(int texts, Answering settings) {
        return new Answering(settings.maxNewTokens(), settings.match(), settings.stop(), settings.sampler(), settings.seed(),
                settings.choiceScore(), settings.join(), settings.labelNames(), OptionalInt.of(texts));
    }

    /** Answers, samples and values do not depend on how many prompts are answered at a time. */
    @ParameterizedTest
    @ValueSource(ints = {3, 8})
    void otherPromptsChangeNothing(int texts) throws IOException {
        Answering settings = settings(SAMPLED, 5);
        finish(request(texts(), "one.jsonl", atATime(1, settings), 3));
        finish(request(texts(), "some.jsonl", atATime(texts, settings), 3));
        assertEquals(Files.readString(folder.resolve("one.jsonl")), Files.readString(folder.resolve("some.jsonl")));
        DemoRuns.assertSameFiles(
                spectra(texts(), "one", atATime(1, settings)), spectra(texts(), "some", atATime(texts, settings)));
    }

    private List<JsonNode> lines(String file) throws IOException {
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(folder.resolve(file))) {
            lines.add(JSON.readTree(line));
        }
        return lines;
    }

    private Path spectra(String texts, String out, Answering settings) {
        SpectraRequest defaults = SpectraRequest.of(run(out, false, false), texts);
        SpectraRequest request = new SpectraRequest(defaults.run(), texts, 4, defaults.perSample(), settings, 0, false,
                SpectraRequest.metrics(4, defaults.metrics().subList(3, defaults.metrics().size())),
                defaults.tested(), defaults.view(), true, defaults.perToken());
        try (Spectra spectra = Spectra.open(request, InputStream.nullInputStream())) {
            spectra.observe(Progress.SILENT);
            spectra.write(Progress.SILENT);
            spectra.commit();
        }
        return folder.resolve(out);
    }

    /** The same tokens in the same passes, and the same seed for folds: every file but the manifest has the same bytes. */
    @Test
    void measuredAnswersEqualGeneratedOnes() throws IOException {
        Answering settings = settings(SAMPLED, 5);
        AnswersSummary summary = finish(request(texts(), "answers.jsonl", settings, 1));
        assertEquals(TEXTS + 2, summary.answers());
        assertEquals(1, summary.given());
        Path expected = spectra(texts(), "generated", settings);
        DemoRuns.assertSameFiles(expected, spectra(folder.resolve("answers.jsonl").toString(), "read", settings(Sampler.GREEDY, 5)));
        List<Sample> samples = SampleTable.read(expected.resolve("samples.csv")).samples();
        List<JsonNode> lines = lines("answers.jsonl");
        for (int i = 0; i < lines.size(); i++) {
            assertEquals(samples.get(i).answer(), lines.get(i).get("generated").textValue());
            assertEquals(samples.get(i).label(), lines.get(i).get("label").asText());
            assertEquals(samples.get(i).prompt(), lines.get(i).get("prompt").textValue());
        }
        assertEquals("höher", lines.getLast().get("note").textValue());
        assertEquals(List.of("c", "7"), samples.stream().map(Sample::id).filter(id -> !id.isEmpty()).toList());
    }

    /** A sample is the answer of a run with the seed that its line records. */
    @Test
    void samplesAreRepeatedByTheirSeeds() throws IOException {
        AnswersSummary summary = finish(request(texts(), "samples.jsonl", settings(SAMPLED, 5), 3));
        assertEquals(3 * (TEXTS + 1) + 1, summary.answers());
        List<JsonNode> all = lines("samples.jsonl");
        for (int sample = 0; sample < 3; sample++) {
            String file = sample + ".jsonl";
            finish(request(texts(), file, settings(SAMPLED, 5 + sample), 1));
            List<JsonNode> one = lines(file);
            for (int text = 0; text < TEXTS; text++) {
                JsonNode line = all.get(3 * text + sample);
                assertEquals(5 + sample, line.at("/generation/seed").intValue());
                assertEquals(sample, line.at("/generation/sample").intValue());
                assertEquals(one.get(text).get("generated_tokens"), line.get("generated_tokens"));
                assertEquals(one.get(text).get("label"), line.get("label"));
            }
        }
        assertEquals(List.of("7-0", "7-1", "7-2"), all.stream().map(line -> line.path("id").asText())
                .filter(id -> id.startsWith("7")).toList());
        assertEquals(1, all.stream().filter(line -> line.has("choices")).count());
    }

    /** Greedy answers, and thus labels, do not depend on the order of the lines. */
    @Test
    void orderDoesNotMatter() throws IOException {
        finish(request(texts(), "answers.jsonl", settings(Sampler.GREEDY, 0), 1));
        List<String> shuffled = new ArrayList<>(Files.readAllLines(Path.of(texts())));
        Collections.shuffle(shuffled, new Random(3));
        String other = Files.write(folder.resolve("shuffled.jsonl"), shuffled).toString();
        finish(request(other, "other.jsonl", settings(Sampler.GREEDY, 0), 1));
        assertEquals(labels("answers.jsonl"), labels("other.jsonl"));
    }

    private Map<String, String> labels(String file) throws IOException {
        return lines(file).stream().collect(Collectors.toMap(line -> line.get("prompt").textValue(),
                line -> line.get("label") + " " + line.get("generated"), (first, second) -> first));
    }

    @Test
    void resumesWithTheSameBytes() throws IOException {
        finish(request(texts(), "whole.jsonl", settings(SAMPLED, 1), 2));
        AnswersRequest interrupted = request(texts(), "answers.jsonl", settings(SAMPLED, 1), 2);
        try (Answers answers = Answers.open(interrupted, InputStream.nullInputStream())) {
            DemoRuns.interrupt(3, answers::answer);
        }
        assertFalse(Files.exists(folder.resolve("answers.jsonl")));
        RunFolderException left = assertThrows(RunFolderException.class, () -> finish(interrupted));
        assertEquals(folder.resolve("answers.jsonl.run.partial")
                + ": contains an interrupted run; continue it with --resume, or delete it with --overwrite", left.getMessage());
        RunRequest again = run("answers.jsonl", true, false);
        InputException other = assertThrows(InputException.class, () -> finish(
                new AnswersRequest(again, texts(), settings(SAMPLED, 2), 2, 0)));
        assertEquals(folder.resolve("answers.jsonl.run") + ": was started with another model, other texts or other settings"
                + " (settings.seed); repeat the first command, or start over with --overwrite", other.getMessage());
        finish(new AnswersRequest(again, texts(), settings(SAMPLED, 1), 2, 0));
        assertEquals(Files.readString(folder.resolve("whole.jsonl")), Files.readString(folder.resolve("answers.jsonl")));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of("answers.jsonl", "texts.jsonl", "whole.jsonl"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void replacesAFileOnlyIfAsked() throws IOException {
        String texts = texts();
        finish(request(texts, "answers.jsonl", settings(Sampler.GREEDY, 0), 1));
        assertEquals(folder.resolve("answers.jsonl") + ": already exists; choose another --out, or use --overwrite",
                assertThrows(InputException.class, () -> request(texts, "answers.jsonl", settings(Sampler.GREEDY, 0), 1)).getMessage());
        Files.writeString(folder.resolve("answers.jsonl"), "old");
        finish(new AnswersRequest(run("answers.jsonl", false, true), texts, settings(Sampler.GREEDY, 0), 1, 2));
        assertEquals(2, lines("answers.jsonl").size());
        Path link = Files.createSymbolicLink(folder.resolve("link.jsonl"), folder.resolve("answers.jsonl"));
        finish(new AnswersRequest(run("link.jsonl", false, true), texts, settings(Sampler.GREEDY, 0), 1, 1));
        assertTrue(Files.isSymbolicLink(link));
        assertEquals(1, lines("answers.jsonl").size());
        Files.delete(folder.resolve("answers.jsonl"));
        rejects(link + ": is a broken link; remove it, or choose another --out",
                () -> request(texts, "link.jsonl", settings(Sampler.GREEDY, 0), 1));
    }

    @Test
    void labelsKeepTheirNames() throws IOException {
        String texts = Files.writeString(folder.resolve("t.jsonl"), """
                {"question": "the capital of boria is birch . the capital of boria is", "reference": "birch"}
                {"question": "six minus three equals", "verdict": "hallucinated"}
                """).toString();
        Answering settings = new Answering(1, Match.NORMALISED, "", Sampler.GREEDY, 0, ChoiceScore.SUM, Join.AUTO,
                LabelNames.parse("correct,hallucinated"));
        RunRequest run = new RunRequest(DemoRuns.MODEL, folder.resolve("a.jsonl"), DeviceChoice.of("cpu"), false, false, "test",
                Fields.parse(List.of("question=prompt", "reference=answer", "verdict=label")), Prompting.standard(),
                OptionalInt.empty());
        finish(new AnswersRequest(run, texts, settings, 1, 0));
        assertEquals(List.of("correct", "hallucinated"),
                lines("a.jsonl").stream().map(line -> line.get("label").textValue()).toList());
        assertEquals("birch", lines("a.jsonl").getFirst().get("answer").textValue());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"text": "a", "label": 0}                             | is a text without a prompt: there is nothing to answer
            {"prompt": "a", "answer": "b", "generated": "c"}      | has an answer already; to generate another, ignore it and its label by --fields generated=-,generated_tokens=-,label=-
            """)
    void textsWithoutAQuestion(String line, String rule) throws IOException {
        String texts = Files.writeString(folder.resolve("t.jsonl"), line).toString();
        assertEquals(texts + ": line 1: " + rule, assertThrows(InputException.class,
                () -> finish(request(texts, "a.jsonl", settings(Sampler.GREEDY, 0), 1))).getMessage());
        assertFalse(Files.exists(folder.resolve("a.jsonl.run.partial")));
    }

    @Test
    void malformedRequests() {
        rejects("--samples 3: all samples are equal at temperature 0; give --temperature, such as 0.7",
                () -> request("t", "a.jsonl", settings(Sampler.GREEDY, 0), 3));
        rejects("--samples must be from 1 to 10000, not 0", () -> request("t", "a.jsonl", settings(SAMPLED, 0), 0));
        for (String name : List.of("a.csv", "a", ".jsonl")) {
            rejects(folder.resolve(name) + ": answers are written as JSON lines; give --out a file that ends in .jsonl",
                    () -> request("t", name, settings(SAMPLED, 0), 1));
        }
        Path same = folder.resolve("a.jsonl");
        rejects(same + ": is both --texts and --out; choose another --out",
                () -> request(same.toString(), "a.jsonl", settings(SAMPLED, 0), 1));
    }

    private static void rejects(String message, Executable request) {
        assertEquals(message, assertThrows(InputException.class, request).getMessage());
    }
}
