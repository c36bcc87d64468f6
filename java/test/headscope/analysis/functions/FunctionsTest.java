package headscope.analysis.functions;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.analysis.DemoRuns;
import headscope.analysis.Entries;
import headscope.analysis.Fields;
import headscope.analysis.Join;
import headscope.analysis.Progress;
import headscope.analysis.PromptAnswer;
import headscope.analysis.TextBatches;
import headscope.backend.Backend;
import headscope.model.Batch;
import headscope.model.Checkpoint;
import headscope.model.Generator;
import headscope.model.HeadGates;
import headscope.model.LayerHook;
import headscope.model.Sampler;
import headscope.model.Sequence;
import headscope.model.Tape;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.FunctionsResult;
import headscope.result.HeadTable;
import headscope.result.Manifest;
import headscope.result.MaskingTable;
import headscope.tensor.Safetensors;
import headscope.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Complete runs on the demo checkpoint, with few texts and epochs. */
class FunctionsTest {
    private static final int LAYERS = 12;
    private static final int HEADS = 12;
    private static final int TRAIN = 12;
    private static final int TEST = 5;
    private static final List<String> FUNCTIONS =
            List.of("Knowledge Recall", "Semantic Understanding", "Math Calculation");

    @TempDir
    private static Path reference;

    @TempDir
    private Path folder;

    private static FunctionsSummary found;

    /** An uninterrupted run. */
    @BeforeAll
    static void run() throws IOException {
        Map<String, Integer> taken = new HashMap<>();
        List<String> few = Files.readAllLines(Path.of("data/functions.jsonl")).stream()
                .filter(line -> FUNCTIONS.stream().anyMatch(function -> line.contains("\"" + function + "\"")
                        && (line.contains("\"test\"")
                                ? taken.merge(function + " test", 1, Integer::sum) <= TEST
                                : taken.merge(function, 1, Integer::sum) <= TRAIN)))
                .toList();
        Files.write(reference.resolve("few.jsonl"), few);
        found = finish(demo(reference.resolve("run"), false));
    }

    private static FunctionsRequest demo(Path out, boolean resume) {
        return request(reference.resolve("few.jsonl"), out, resume,
                new FunctionsRequest.Ablation(Optional.of(30), 1e-4, 3));
    }

    private static FunctionsRequest request(
            Path texts, Path out, boolean resume, FunctionsRequest.Ablation ablation) {
        return new FunctionsRequest(
                DemoRuns.request(out, resume), texts.toString(),
                FunctionsRequest.AnswerTokens.ALL,
                new FunctionsRequest.Training(8, 32, 0.3, 4, 6, 1e-3, 0.01, FunctionsRequest.Order.SHUFFLED), 0.001,
                FunctionsResult.Shown.ABSOLUTE, Optional.empty(), Optional.of(ablation), Join.AUTO, 5);
    }

    private static Functions open(FunctionsRequest request) {
        return Functions.open(request, InputStream.nullInputStream());
    }

    private static FunctionsSummary finish(FunctionsRequest request) {
        return DemoRuns.finish(open(request), request.run().out(), functions -> {
            functions.observe(Progress.SILENT);
            functions.train(Progress.SILENT);
            functions.ablate(Progress.SILENT);
            return functions.write();
        });
    }

    private static void rejects(String message, FunctionsRequest request) {
        DemoRuns.assertRejected(message, request.run().out(), () -> finish(request));
    }

    @Test
    void writesItsFilesOnly() throws IOException {
        assertEquals(
                List.of("confusion.csv", "heads.csv", "manifest.json", "masking.csv", "samples.csv", "values.safetensors"),
                DemoRuns.files(reference.resolve("run")));
    }

    @Test
    void summarisesTheRun() {
        assertEquals(FUNCTIONS, found.functions().stream().map(FunctionsSummary.Function::name).toList());
        assertEquals(FUNCTIONS.size() * TRAIN, found.train());
        assertEquals(FUNCTIONS.size() * TEST, found.test());
        assertEquals(1.0 / FUNCTIONS.size(), found.majority());
        assertTrue(found.accuracy() > 0.8, "the wording of these functions differs, but the accuracy is " + found.accuracy());
        Manifest manifest = Manifest.read(reference.resolve("run"));
        assertEquals(found.accuracy(), manifest.json().at("/accuracy/probe").doubleValue());
        assertEquals("30", manifest.text("/settings/mask/heads"));
        assertEquals("absolute", manifest.text("/shown"));
    }

    /** heads.csv and confusion.csv agree with values.safetensors. */
    @Test
    void tablesAgreeWithValues() throws IOException {
        HeadTable heads = HeadTable.read(reference.resolve("run/heads.csv"));
        assertEquals(FUNCTIONS, heads.names());
        int[][] counts = new int[FUNCTIONS.size()][FUNCTIONS.size()];
        try (Safetensors values = Safetensors.open(reference.resolve("run/values.safetensors"))) {
            assertArrayEquals(new long[] {FUNCTIONS.size(), LAYERS, HEADS}, values.get("importance").shape());
            float[] importance = values.get("importance").floats();
            for (int function = 0; function < FUNCTIONS.size(); function++) {
                double[] column = heads.column(FUNCTIONS.get(function));
                for (int head = 0; head < LAYERS * HEADS; head++) {
                    assertEquals((float) column[head], importance[function * LAYERS * HEADS + head]);
                }
            }
            float[] logits = values.get("logits").floats();
            long[] truth = values.get("function").longs();
            for (int text = 0; text < truth.length; text++) {
                float[] row = Arrays.copyOfRange(logits, text * FUNCTIONS.size(), (text + 1) * FUNCTIONS.size());
                int predicted = 0;
                for (int i = 0; i < row.length; i++) {
                    predicted = row[i] > row[predicted] ? i : predicted;
                }
                counts[(int) truth[text]][predicted]++;
            }
        }
        List<String> lines = new ArrayList<>(List.of("function," + String.join(",", FUNCTIONS)));
        for (int i = 0; i < counts.length; i++) {
            lines.add("%s,%d,%d,%d".formatted(FUNCTIONS.get(i), counts[i][0], counts[i][1], counts[i][2]));
        }
        assertEquals(lines, Files.readAllLines(reference.resolve("run/confusion.csv")));
    }

    @Test
    void equalRequestsGiveEqualBytes() throws IOException {
        finish(demo(folder.resolve("run"), false));
        DemoRuns.assertSameFiles(reference.resolve("run"), folder.resolve("run"));
    }

    @Test
    void resumesAfterAnInterruption() throws IOException {
        Path out = folder.resolve("run");
        try (Functions functions = open(demo(out, false))) {
            DemoRuns.interrupt(10, functions::observe);
        }
        assertFalse(Files.exists(out));
        finish(demo(out, true));
        DemoRuns.assertSameFiles(reference.resolve("run"), out);
    }

    /** A factor of 1 ablates nothing. */
    @Test
    void ablationByFactorOneChangesNothing() {
        FunctionsSummary same = finish(request(reference.resolve("few.jsonl"), folder.resolve("run"), false,
                new FunctionsRequest.Ablation(Optional.empty(), 1, 2)));
        for (MaskingTable.Row row : same.ablation().orElseThrow().rows()) {
            assertEquals(row.before(), row.top());
            assertEquals(row.before(), row.random(), Tolerance.fp64(2));
            assertEquals(row.before(), row.lowest());
            assertEquals(row.othersBefore(), row.othersTop());
        }
    }

    private interface OnDemo {
        void accept(Transformer model, Tokenizer tokenizer, List<PromptAnswer> texts);
    }

    private static void onDemo(OnDemo test) {
        FunctionTexts texts =
                FunctionTexts.of(
                Entries.read(reference.resolve("few.jsonl").toString(), InputStream.nullInputStream(), Fields.SAME, FunctionTexts.FORM));
        try (Backend backend = Backend.open("cpu");
                Checkpoint checkpoint = Checkpoint.open(DemoRuns.MODEL);
                Tokenizer tokenizer = Tokenizer.open(DemoRuns.MODEL);
                Transformer model = new Transformer(checkpoint, backend)) {
            test.accept(model, tokenizer, texts.texts().subList(0, 12).stream()
                    .map(text -> PromptAnswer.of(text.entry(), text.prompt(), text.answer(), Join.AUTO, model.config(), tokenizer))
                    .toList());
        }
    }

    @Test
    void predictsTheTokensThatItGenerates() {
        onDemo((model, tokenizer, texts) -> {
            Generator generator = new Generator(model, Sampler.GREEDY, 1);
            for (PromptAnswer text : texts) {
                try (Sequence sequence = model.sequenceWithoutStatistics(128)) {
                    int[] written = generator.generate(
                            sequence, Arrays.copyOf(text.ids(), text.start()), new Random(0), LayerHook.NONE,
                            tokens -> true);
                    assertArrayEquals(written, read(model, text, FunctionsRequest.AnswerTokens.ALL).predicted());
                }
            }
        });
    }

    /** An answer of three tokens: the mean over the rows that predict them, the first of these rows, the last. */
    @Test
    void averagesHeadOutputsOverPredictingRows() {
        onDemo((model, tokenizer, texts) -> {
            PromptAnswer text = new PromptAnswer(texts.getFirst().ids(), texts.getFirst().ids().length - 3);
            float[] first = read(model, text, FunctionsRequest.AnswerTokens.FIRST).outputs();
            float[] last = read(model, text, FunctionsRequest.AnswerTokens.LAST).outputs();
            float[] all = read(model, text, FunctionsRequest.AnswerTokens.ALL).outputs();
            assertArrayEquals(rows(model, text, text.firstRow(), 1), first);
            assertArrayEquals(rows(model, text, text.firstRow() + 2, 1), last);
            assertArrayEquals(rows(model, text, text.firstRow(), 3), all);
            assertFalse(Arrays.equals(first, last));
        });
    }

    private static Observation read(Transformer model, PromptAnswer text, FunctionsRequest.AnswerTokens tokens) {
        return new AnswerReader(model, new TextBatches(128)).read(List.of(text), tokens, Progress.SILENT).getFirst();
    }

    /** The head outputs of all layers, averaged over some rows. */
    private static float[] rows(Transformer model, PromptAnswer text, int from, int count) {
        List<Float> values = new ArrayList<>();
        LayerHook hook = new LayerHook() {
            @Override
            public boolean readsHeadOutputs() {
                return true;
            }

            @Override
            public void headOutputs(int layer, Tensor heads) {
                float[] all = model.backend().download(heads);
                int width = heads.intSize(1);
                for (int i = 0; i < width; i++) {
                    double sum = 0;
                    for (int row = from; row < from + count; row++) {
                        sum += all[row * width + i];
                    }
                    values.add((float) (sum / count));
                }
            }
        };
        try (Tape tape = model.forward(new Batch(List.of(text.inputs())), Optional.empty(), hook)) {
            assertEquals(text.ids().length - 1, tape.batch().rows());
        }
        float[] mean = new float[values.size()];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = values.get(i);
        }
        return mean;
    }

    /** Equals the count over single texts with the same gates. */
    @Test
    void countsRightAnswersOfABatch() {
        onDemo((model, tokenizer, texts) -> {
            float[] factors = new float[LAYERS * HEADS];
            Random random = new Random(3);
            for (int i = 0; i < factors.length; i++) {
                factors[i] = random.nextInt(3) == 0 ? 0 : 1;
            }
            int right = 0;
            for (PromptAnswer text : texts) {
                try (HeadGates gates = new HeadGates(
                        model, List.of(new HeadGates.OfText(text.start() - 1, factors)))) {
                    try (Tape tape = model.forward(
                            new Batch(List.of(text.inputs())), Optional.of(gates), LayerHook.NONE)) {
                        float[] logits = model.backend().download(model.logits(tape, new int[] {text.start() - 1}));
                        int best = 0;
                        for (int word = 0; word < logits.length; word++) {
                            best = logits[word] > logits[best] ? word : best;
                        }
                        right += best == text.ids()[text.start()] ? 1 : 0;
                    }
                }
            }
            assertEquals(right, new AnswerReader(model, new TextBatches(100)).countRight(texts, factors));
        });
    }

    @Test
    void rejectsAblatingMoreThanHalfOfTheHeads() {
        FunctionsRequest request = request(reference.resolve("few.jsonl"), folder.resolve("run"), false,
                new FunctionsRequest.Ablation(Optional.of(73), 0, 1));
        rejects("--mask 73: the model has 144 heads; at most half of them can be ablated", request);
    }

    @Test
    void rejectsTextsThatTheModelCannotProcess() throws IOException {
        Path texts = folder.resolve("texts.jsonl");
        String other = FunctionTextsTest.line("b", "train") + "\n" + FunctionTextsTest.line("b", "test") + "\n"
                + FunctionTextsTest.line("a", "test") + "\n";
        FunctionsRequest request = request(
                texts, folder.resolve("run"), false, new FunctionsRequest.Ablation(Optional.of(3), 0, 1));
        Files.writeString(texts, other + FunctionTextsTest.line("a", "train").replace("\"b\"", "\"\""));
        rejects(texts + ": line 4: the answer has no tokens", request);
        Files.writeString(texts, other + FunctionTextsTest.line("a", "train")
                .replace("\"prompt\": \"a\"", "\"prompt\": \"" + "a ".repeat(128) + "\""));
        rejects(texts + ": line 4: prompt and answer have 130 tokens; the limit for this model is 129: "
                + "shorten the text", request);
    }
}
