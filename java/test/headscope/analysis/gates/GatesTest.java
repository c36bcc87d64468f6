package headscope.analysis.gates;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.analysis.DemoRuns;
import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.analysis.Progress;
import headscope.result.CurveTable;
import headscope.result.GateScore;
import headscope.result.HeadTable;
import headscope.result.Manifest;
import headscope.tensor.Safetensors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Complete but short runs on the demo checkpoint. */
class GatesTest {
    private static final int HEADS = 144;
    private static final int SEEDS = 2;
    private static final List<GateTask> TASKS =
            List.of(GateTask.parse("Math=data/math.jsonl"), GateTask.parse("Syntax=data/syntax.jsonl"));

    @TempDir
    private static Path reference;

    @TempDir
    private Path folder;

    /** An uninterrupted run. */
    @BeforeAll
    static void run() {
        GatesSummary summary = finish(request(TASKS, reference.resolve("run"), false));
        assertEquals(HEADS, summary.heads());
        assertEquals(SEEDS, summary.seeds());
        assertEquals(List.of("Math", "Syntax"), summary.tasks().stream().map(GatesSummary.Task::name).toList());
    }

    private static GatesRequest request(List<GateTask> tasks, Path out, boolean resume) {
        List<GatesRequest.Schedule> schedules = List.of(new GatesRequest.Schedule(3, 0.1, 0.01),
                new GatesRequest.Schedule(2, 0.5, 0.1), new GatesRequest.Schedule(1, 0.5, 0.1));
        return new GatesRequest(
                DemoRuns.request(out, resume), tasks, Join.AUTO, SEEDS, schedules, 3, 0.1,
                GatesRequest.Regulariser.MEAN, Double.POSITIVE_INFINITY, GateScore.FACILITATION,
                new GatesRequest.Check(2, 3), 5, 8, false);
    }

    private static Gates open(GatesRequest request) {
        return Gates.open(request, InputStream.nullInputStream());
    }

    private static GatesSummary finish(GatesRequest request) {
        return DemoRuns.finish(open(request), request.run().out(), gates -> {
            gates.fit(Progress.SILENT);
            return gates.write();
        });
    }

    /** Within an update: with passes of one text, layer by layer, forward and backward. */
    @Test
    void reportsProgressWithinAnUpdate() {
        List<Double> shares = new ArrayList<>();
        List<List<Double>> updates = new ArrayList<>();
        try (Gates gates = open(request(TASKS, folder.resolve("run"), false))) {
            gates.fit(new Progress() {
                @Override
                public void reached(int done, int of) {
                    if (!shares.isEmpty()) {
                        updates.add(List.copyOf(shares));
                        shares.clear();
                    }
                }

                @Override
                public void within(double share) {
                    shares.add(share);
                }
            });
        }
        int steps = 2 * (6 + 4 * (3 + 1)); // of two tasks: three fits and a check with four curves
        assertEquals(steps, updates.size());
        for (List<Double> update : updates) {
            assertEquals(0, update.getFirst());
            assertEquals(1, update.getLast(), 1e-9);
            assertEquals(update.stream().sorted().toList(), update);
            assertTrue(update.size() > 12, update.toString()); // layers
        }
    }

    @Test
    void writesItsFilesOnly() throws IOException {
        assertEquals(List.of("check.csv", "heads.csv", "manifest.json", "values.safetensors"),
                DemoRuns.files(reference.resolve("run")));
    }

    /** Recomputes every column of heads.csv and every share of the manifest from the gates. */
    @Test
    void scoresAgreeWithGates() {
        HeadTable table = HeadTable.read(reference.resolve("run/heads.csv"));
        Manifest manifest = Manifest.read(reference.resolve("run"));
        try (Safetensors values = Safetensors.open(reference.resolve("run/values.safetensors"))) {
            for (int task = 0; task < TASKS.size(); task++) {
                String name = TASKS.get(task).name();
                float[] plus = values.get(name + ".gates_plus").floats();
                float[] minus = values.get(name + ".gates_minus").floats();
                double[] facilitation = new double[plus.length];
                double[] interference = new double[plus.length];
                double[] irrelevance = new double[plus.length];
                for (int i = 0; i < plus.length; i++) {
                    facilitation[i] = minus[i];
                    interference[i] = 1 - plus[i];
                    irrelevance[i] = plus[i] * (1.0 - minus[i]);
                }
                compare(table, manifest, task, "facilitation", "facilitating", facilitation);
                compare(table, manifest, task, "interference", "interfering", interference);
                compare(table, manifest, task, "irrelevance", "irrelevant", irrelevance);
            }
        }
    }

    /** @param scores [seeds, heads] */
    private static void compare(
            HeadTable table, Manifest manifest, int task, String score, String adjective, double[] scores) {
        String column = TASKS.get(task).name() + "_" + score;
        double always = 0;
        double any = 0;
        for (int head = 0; head < HEADS; head++) {
            double smallest = Math.min(scores[head], scores[HEADS + head]);
            double largest = Math.max(scores[head], scores[HEADS + head]);
            assertEquals(smallest, table.column(column + "_always")[head], Tolerance.formula(1), column);
            assertEquals(largest, table.column(column + "_any")[head], Tolerance.formula(1), column);
            assertEquals((smallest + largest) / 2, table.column(column + "_mean")[head], Tolerance.formula(1), column);
            always += table.column(column + "_always")[head] >= 0.5 ? 1 : 0;
            any += table.column(column + "_any")[head] >= 0.5 ? 1 : 0;
        }
        String at = "/results/%d/share_%%s/%s".formatted(task, adjective);
        assertEquals(always / HEADS, manifest.json().at(at.formatted("always")).doubleValue(), Tolerance.fp64(1));
        assertEquals(any / HEADS, manifest.json().at(at.formatted("any")).doubleValue(), Tolerance.fp64(1));
    }

    /** The phases open and shut start from the same gates; most gates end higher after the first than after the second. */
    @Test
    void regulariserMovesTheGates() {
        try (Safetensors values = Safetensors.open(reference.resolve("run/values.safetensors"))) {
            float[] start = values.get("Syntax.theta_0").floats();
            float[] plus = values.get("Syntax.theta_plus").floats();
            float[] minus = values.get("Syntax.theta_minus").floats();
            assertArrayEquals(new long[] {SEEDS, 12, 12}, values.get("Syntax.theta_plus").shape());
            assertArrayEquals(new long[] {SEEDS, 2}, values.get("Syntax.nll_plus").shape());
            float[] other = values.get("Math.theta_0").floats();
            long opened = 0;
            for (int i = 0; i < start.length; i++) {
                assertEquals(other[i], start[i], 0.45, "a seed starts all tasks from the same gates, and three steps follow");
                opened += plus[i] > minus[i] ? 1 : 0;
                assertTrue(Math.abs(plus[i] - start[i]) <= 0.9, "two steps of 0.5 and 0.3");
                assertTrue(Math.abs(minus[i] - start[i]) <= 0.5001, "a step of 0.5");
            }
            assertTrue(opened > 0.65 * start.length, opened + " of " + start.length);
        }
    }

    @Test
    void checkStartsWithGPlusAndEndsWithoutGates() {
        CurveTable table = CurveTable.read(reference.resolve("run/check.csv"));
        Map<String, double[]> curves = table.curves();
        Manifest manifest = Manifest.read(reference.resolve("run"));
        assertArrayEquals(new int[] {0, 48, 96, 144}, table.at());
        for (String task : List.of("Math", "Syntax")) {
            for (String curve : List.of("_shut", "_open")) {
                double[] ordered = curves.get(task + curve);
                double[] random = curves.get(task + curve + "_random");
                assertEquals(ordered[0], random[0]);
                assertEquals(ordered[3], random[3]);
            }
            assertEquals(curves.get(task + "_open")[0], curves.get(task + "_shut")[0]);
        }
        assertEquals(manifest.json().at("/results/0/log_probability/ungated").doubleValue(),
                curves.get("Math_open")[3]);
        assertEquals(manifest.json().at("/results/0/log_probability/under_g_plus").doubleValue(),
                curves.get("Math_open")[0]);
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 10, 26})
    void resumesInEveryPhase(int interrupted) throws IOException {
        Path out = folder.resolve("run");
        try (Gates gates = open(request(TASKS, out, false))) {
            DemoRuns.interrupt(interrupted, gates::fit);
        }
        assertFalse(Files.exists(out));
        finish(request(TASKS, out, true));
        DemoRuns.assertSameFiles(reference.resolve("run"), out);
    }

    @Test
    void rejectsResumingWithOtherInput() {
        Path out = folder.resolve("run");
        try (Gates gates = open(request(TASKS, out, false))) {
            DemoRuns.interrupt(10, gates::fit); // after a first fit, with which the input is stored
        }
        GatesRequest other = request(TASKS.subList(1, 2), out, true);
        DemoRuns.assertNotResumed(out, "tasks", () -> finish(other));
    }

    /** A contrast has a single fit; its score is 1 - gate. */
    @Test
    void contrastsPairsOfTexts() throws IOException {
        Path kept = texts("kept.jsonl", line("eight plus zero equals", "eight"), line("six minus four equals", "two"));
        Path forgotten = texts("forgotten.jsonl", line("to run : the queen", "runs"), line("to work : the cooks", "work"));
        Path out = folder.resolve("run");
        finish(request(List.of(new GateTask("Contrast", kept.toString(), Optional.of(forgotten.toString()))), out, false));
        assertFalse(Files.exists(out.resolve("check.csv")));
        HeadTable table = HeadTable.read(out.resolve("heads.csv"));
        assertEquals(List.of("Contrast_contrast_always", "Contrast_contrast_any", "Contrast_contrast_mean"), table.names());
        try (Safetensors values = Safetensors.open(out.resolve("values.safetensors"))) {
            float[] gates = values.get("Contrast.gates_contrast").floats();
            for (int head = 0; head < HEADS; head++) {
                assertEquals(1 - Math.max(gates[head], gates[HEADS + head]),
                        table.column("Contrast_contrast_always")[head], Tolerance.formula(1));
            }
        }
    }

    private static String line(String prompt, String answer) {
        return "{\"prompt\": \"%s\", \"answer\": \"%s\"}".formatted(prompt, answer);
    }

    private Path texts(String name, String... lines) throws IOException {
        return Files.write(folder.resolve(name), Arrays.asList(lines));
    }

    private void rejects(String message, GateTask... tasks) {
        GatesRequest request = request(List.of(tasks), folder.resolve("run"), false);
        DemoRuns.assertRejected(message, request.run().out(), () -> finish(request));
    }

    @Test
    void rejectsInvalidTextsAndTasks() throws IOException {
        String form = "{\"prompt\": \"...\", \"answer\": \"...\"}";
        Path empty = texts("empty.jsonl");
        rejects(empty + ": contains no texts; a line is " + form, GateTask.parse("A=" + empty));
        Path unanswered = texts("unanswered.jsonl", line("eight plus zero equals", "eight"), line("one plus one", ""));
        rejects(unanswered + ": line 2: the answer has no tokens", GateTask.parse("A=" + unanswered));
        Path other = texts("other.jsonl", "{\"text\": \"eight\", \"label\": 1}");
        rejects(other + ": line 1: prompt is missing; if it has another name in the file, give --fields NAME=prompt", GateTask.parse("A=" + other));
        Path tooLong = texts("long.jsonl", line("eight ".repeat(127).strip(), "eight eight"));
        rejects(tooLong + ": line 1: prompt and answer have 130 tokens; the limit for this model is 129: "
                + "shorten the text", GateTask.parse("A=" + tooLong));
        rejects(unanswered + ": 2 texts, but " + other + " has 1; a contrast pairs them line by line",
                new GateTask("Contrast", other.toString(), Optional.of(unanswered.toString())));
        assertEquals("two tasks have the same name; give each its own", assertThrows(InputException.class,
                () -> request(List.of(TASKS.getFirst(), TASKS.getFirst()), folder, false)).getMessage());
        for (String task : List.of("math.jsonl", "=math.jsonl", "Math=")) {
            assertEquals("--task must be NAME=FILE, such as Math=math.jsonl, not \"" + task + "\"",
                    assertThrows(InputException.class, () -> GateTask.parse(task)).getMessage());
        }
        assertEquals("a task needs a name: --task NAME=FILE, such as Math=math.jsonl",
                assertThrows(InputException.class, () -> GateTask.parse(" =c")).getMessage());
    }

    @Test
    void aTaskMayHaveAnyName() {
        for (String name : List.of("a/b", "two words, \"quoted\"", "<b>&amp;", "\u65e5\u672c\u8a9e", "tab\there", "x=y")) {
            assertEquals(new GateTask(name, "data/math.jsonl", Optional.empty()), GateTask.parse(name + "=data/math.jsonl"));
        }
        assertEquals("x", GateTask.parse("x=absent=file").name());
    }
}
