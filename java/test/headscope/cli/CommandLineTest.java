package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.result.Manifest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole program: exit status, output and files. */
class CommandLineTest {
    private static final List<String> RUN = List.of(
            "spectra", "--model", "models/demo", "--texts", "data/qa.jsonl", "--limit", "40", "--max-new-tokens", "1");

    private static final List<String> SALIENCY = List.of(
            "saliency", "--model", "models/demo", "--text",
            "<CHI> painted a picture of a horse <CHI> my favorite animal is the", "--groups", "0-6:<ENV>,7-12:<LAN>");
    private static final List<String> GATES = List.of(
            "gates", "--model", "models/demo", "--task", "Math=data/math.jsonl", "--quick", "--seeds", "1", "--limit", "8",
            "--updates", "2,2,2", "--check-texts", "1");

    @TempDir
    Path folder;

    @Test
    void writesEveryFileAndRendersTheSameFigure() throws Exception {
        Path run = folder.resolve("run");
        ChildJvm.Result result = headscope(with(RUN, "--out", run.toString()));

        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().contains("p < 0.05"), result.out());
        assertTrue(result.out().contains(run.resolve("spectra.png").toString()), result.out());
        for (String name : List.of("manifest.json", "heads.csv", "samples.csv", "values.safetensors")) {
            assertTrue(Files.size(run.resolve(name)) > 0, name);
        }
        boolean onCpu = Manifest.read(run).text("/device").startsWith("cpu");
        assertEquals(onCpu, result.err().contains("headscope: computing on the CPU: "), result.err());
        Path again = folder.resolve("again.png");
        assertEquals(0, headscope(List.of("render", run.toString(), "--out", again.toString())).status());
        assertArrayEquals(Files.readAllBytes(run.resolve("spectra.png")), Files.readAllBytes(again));
        Path viewed = folder.resolve("viewed.png");
        Path page = folder.resolve("page.html");
        result = headscope(List.of("view", run.toString(), "--out", viewed.toString(), "--html", page.toString()));
        assertEquals(0, result.status(), result.err());
        assertArrayEquals(Files.readAllBytes(again), Files.readAllBytes(viewed));
        assertTrue(Files.readString(page).contains("<title>Headscope: spectra of demo</title>"));
    }

    /** Each tested metric has columns, and the drawn ones a panel; another view of the run is drawn from its folder. */
    @Test
    void testsChosenMetrics() throws Exception {
        Path run = folder.resolve("run");
        ChildJvm.Result result = headscope(with(RUN, "--test", "sink_share,fiedler_value", "--draw", "sink_share,laplacian",
                "--show", "effect", "--threshold", "0.01", "--top", "2", "--per-token", "entropy", "--heads", "11.10,0.3",
                "--no-probes", "--out", run.toString()));
        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().matches("(?s).*fiedler_value, heads with the smallest p:\n[^\n]*\n(\\d+\\.\\d+ [^\n]*\n){2}\n.*"),
                result.out());
        assertTrue(result.out().contains("(heads.csv, samples.csv, tokens.csv, tokens.safetensors, values.safetensors, manifest.json)"),
                result.out());
        assertEquals("sink_share_p,sink_share_q,sink_share_effect,fiedler_value_p,fiedler_value_q,fiedler_value_effect,"
                + "laplacian_p,laplacian_q,laplacian_effect", Files.readAllLines(run.resolve("heads.csv")).getFirst()
                .replaceAll("^layer,head,|,sink_share_mean.*", ""));
        byte[] drawn = Files.readAllBytes(run.resolve("spectra.png"));
        assertEquals(0, headscope(List.of("render", run.toString())).status());
        assertArrayEquals(drawn, Files.readAllBytes(run.resolve("spectra.png")));
        Path other = folder.resolve("other.png");
        assertEquals(0, headscope(List.of("render", run.toString(), "--show", "auroc", "--out", other.toString())).status());
        assertFalse(Arrays.equals(drawn, Files.readAllBytes(other)));
    }

    /** The answers that are expected are given by nobody: there is no test, until other labels are given. */
    @Test
    void testsStoredValuesWithOtherLabels() throws Exception {
        Path texts = Files.writeString(folder.resolve("texts.jsonl"), """
                {"prompt": "the capital of aria is", "answer": "nothing"}
                {"prompt": "the capital of boria is", "answer": "nothing"}
                """);
        Path run = folder.resolve("run");
        ChildJvm.Result result = headscope(List.of("spectra", "--model", "models/demo", "--texts", texts.toString(),
                "--k", "3", "--max-new-tokens", "1", "--out", run.toString()));
        assertEquals(0, result.status(), result.err());
        assertTrue(result.err().contains("headscope: no figure: all 2 answers are wrong; a test needs both classes; the values"
                + " are kept, to test them with other labels: ./headscope spectra --from " + run + " --labels FILE\n"),
                result.err());
        assertFalse(Files.exists(run.resolve("heads.csv")));
        assertTrue(Files.exists(run.resolve("values.safetensors")));
        assertEquals(2, headscope(List.of("render", run.toString())).status());

        Path labels = Files.writeString(folder.resolve("labels.csv"), "index,label\n0,1\n1,0\n");
        Path again = folder.resolve("again");
        result = headscope(List.of("spectra", "--from", run.toString(), "--labels", labels.toString(), "--metrics", "entropy",
                "--no-probes", "--out", again.toString()));
        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().contains("One heatmap per metric, with one row per layer"), result.out());
        assertTrue(Files.size(again.resolve("spectra.png")) > 0);
        assertFalse(Manifest.read(again).flag("/probes/fitted"));
        assertEquals(Manifest.read(run).text("/run"), Manifest.read(again).text("/from/run"));
    }

    /** As by Ctrl-C or kill. */
    @Test
    void terminatedTestsOfStoredValuesLeaveNothing() throws Exception {
        Path run = folder.resolve("run");
        assertEquals(0, headscope(with(RUN, "--out", run.toString())).status());
        Path again = folder.resolve("again");
        Path partial = folder.resolve("again.partial");
        Process program = ChildJvm.start(folder, List.of("headscope.Main", "spectra", "--from", run.toString(), "--out",
                again.toString()));
        while (program.isAlive() && !Files.exists(partial)) {
            Thread.onSpinWait();
        }
        program.destroy();
        program.waitFor();
        String printed = Files.readString(folder.resolve("err.txt"));
        assertFalse(Files.exists(partial), printed);
        assertTrue(Files.exists(again) || printed.contains("headscope: interrupted; nothing is kept: repeat the command"), printed);
        assertFalse(printed.contains("--resume"), printed);
    }

    @Test
    void drawsEveryKindOfCell() throws Exception {
        Path run = folder.resolve("run");
        for (String cell : List.of("max", "mean", "thumbnail", "share")) {
            ChildJvm.Result result = headscope(with(SALIENCY, "--cell", cell, "--objective", "logit-difference:cow", "--skip-first",
                    "--transpose", "--overwrite", "--out", run.toString()));
            assertEquals(0, result.status(), result.err());
            assertTrue(result.out().contains("horse -> the"), result.out());
            Path again = folder.resolve("again.png");
            assertEquals(0, headscope(List.of("render", run.toString(), "--out", again.toString())).status());
            assertArrayEquals(Files.readAllBytes(run.resolve("saliency.png")), Files.readAllBytes(again));
        }
    }

    @Test
    void quotesCommandsForAShell() throws Exception {
        List<String> words = List.of("saliency", "--text", "it's <CHI> $HOME", "--target", "", "--head", "0.3");
        Process shell = new ProcessBuilder("bash", "-c", "headscope() { printf '%s\\n' \"$@\"; }; " + ShellCommand.of(words)).start();
        assertEquals(words, new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList());
    }

    @Test
    void fitsGatesAndRendersTheSameFigures() throws Exception {
        Path run = folder.resolve("run");
        ChildJvm.Result result = headscope(with(GATES, "--out", run.toString()));

        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().contains("Approximate (--quick)"), result.out());
        assertTrue(result.out().matches("(?s).*Math +Always +facilitating +[0-9.]+% +interfering .*"), result.out());
        for (String name : List.of("manifest.json", "heads.csv", "check.csv", "values.safetensors")) {
            assertTrue(result.out().contains(name) && Files.size(run.resolve(name)) > 0, name);
        }
        assertTrue(Files.readString(run.resolve("manifest.json")).contains("A sketch"));
        byte[] check = Files.readAllBytes(run.resolve("check-Math.png"));
        Path again = folder.resolve("again.png");
        assertEquals(0, headscope(List.of("render", run.toString(), "--out", again.toString())).status());
        assertArrayEquals(Files.readAllBytes(run.resolve("gates.png")), Files.readAllBytes(again));
        Path copy = Files.createDirectory(folder.resolve("copy"));
        for (String name : List.of("manifest.json", "heads.csv", "check.csv", "values.safetensors")) {
            Files.copy(run.resolve(name), copy.resolve(name));
        }
        ChildJvm.Result rendered = headscope(List.of("render", run.toString(), copy.toString()));
        assertEquals(List.of(run.resolve("gates.png"), run.resolve("check-Math.png"), copy.resolve("gates.png"),
                copy.resolve("check-Math.png")), rendered.out().lines().map(Path::of).toList(), rendered.err());
        assertArrayEquals(check, Files.readAllBytes(run.resolve("check-Math.png")));
        assertArrayEquals(check, Files.readAllBytes(copy.resolve("check-Math.png")));
    }

    @Test
    void listsOnlyTheFilesOfAContrast() throws Exception {
        Path run = folder.resolve("run");
        ChildJvm.Result result = headscope(List.of(
                "gates", "--model", "models/demo", "--forget", "data/math.jsonl", "--retain", "data/math.jsonl", "--quick",
                "--seeds", "1", "--limit", "8", "--updates", "2,2,2", "--out", run.toString()));

        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().contains("(heads.csv, values.safetensors, manifest.json)"), result.out());
        assertFalse(Files.exists(run.resolve("check.csv")));
        assertTrue(Files.readString(run.resolve("manifest.json")).contains("1 seed, 2 updates, batches of 8"));
        assertTrue(Files.size(run.resolve("gates.png")) > 0);
    }

    @Test
    void rendersFunctionsAgain() throws Exception {
        Path run = folder.resolve("run");
        List<String> lines = Files.readAllLines(Path.of("data/functions.jsonl"));
        Path texts = Files.write(folder.resolve("few.jsonl"), lines.subList(0, 120));
        ChildJvm.Result result = headscope(List.of("functions", "--model", "models/demo", "--texts", texts.toString(), "--epochs",
                "2", "--hidden", "32", "--mask", "4", "--draws", "1", "--out", run.toString()));

        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().contains("Knowledge Recall"), result.out());
        assertTrue(result.out().contains("Model accuracy after ablating"), result.out());
        byte[] drawn = Files.readAllBytes(run.resolve("functions.png"));
        assertEquals(0, headscope(List.of("render", run.toString())).status());
        assertArrayEquals(drawn, Files.readAllBytes(run.resolve("functions.png")));
    }

    @Test
    void writesDataWithoutOpenGl() throws Exception {
        Path run = folder.resolve("run");
        ChildJvm.Result result = process(
                Map.of("__EGL_VENDOR_LIBRARY_FILENAMES", "/dev/null"), with(RUN, "--out", run.toString()));

        assertEquals(0, result.status(), result.err());
        assertTrue(result.err().contains("no figure: "), result.err());
        assertTrue(result.err().contains("apt-get install libegl1 libgl1-mesa-dri"), result.err());
        assertTrue(result.err().contains("./headscope render " + run), result.err());
        assertTrue(Files.exists(run.resolve("heads.csv")));
        assertFalse(Files.exists(run.resolve("spectra.png")));
    }

    @Test
    void rejectsInvalidInputWithOneLineAndWritesNothing() throws Exception {
        Path out = folder.resolve("run");
        Files.writeString(folder.resolve("bad.jsonl"), "{\"prompt\": \"a\", \"answer\": \"b\"}\n{]\n");
        Path bad = folder.resolve("bad.jsonl");
        List<List<String>> commands = List.of(
                List.of("spectra", "--model", "nowhere", "--texts", "data/qa.jsonl", "--out", out.toString()),
                List.of("spectra", "--model", "models/demo", "--texts", bad.toString(), "--out", out.toString()),
                List.of("spectra", "--model", "models/demo", "--texts", "nowhere", "--out", out.toString()),
                with(RUN, "--k", "0", "--out", out.toString()),
                with(RUN, "--batch-tokens", "0", "--out", out.toString()),
                with(RUN, "--limit", "0", "--out", out.toString()),
                with(RUN, "--batch-tokens", "many", "--out", out.toString()),
                with(RUN, "--labels", "labels.csv", "--out", out.toString()),
                List.of("spectra", "--texts", "data/qa.jsonl", "--out", out.toString()),
                List.of("spectra", "--model", "models/demo", "--out", out.toString()),
                List.of("spectra", "--from", folder.toString(), "--out", out.toString()),
                List.of("spectra", "--from", folder.toString(), "--model", "models/demo", "--out", out.toString()),
                List.of("spectra", "--from", folder.toString(), "--resume", "--out", out.toString()),
                with(RUN, "--k", "1000", "--out", out.toString()),
                with(RUN, "--metrics", "beauty", "--out", out.toString()),
                with(RUN, "--test", "beauty", "--out", out.toString()),
                with(RUN, "--draw", "", "--out", out.toString()),
                with(RUN, "--show", "beauty", "--out", out.toString()),
                with(RUN, "--threshold", "0", "--out", out.toString()),
                with(RUN, "--top", "-1", "--out", out.toString()),
                with(RUN, "--per-token", "sink_share", "--heads", "all", "--out", out.toString()),
                with(RUN, "--heads", "0.1", "--out", out.toString()),
                with(SALIENCY, "--maps", "0.3,12.0", "--out", out.toString()),
                with(RUN, "--device", "abacus", "--out", out.toString()),
                with(RUN, "--device", "cuda:", "--out", out.toString()),
                with(RUN, "--device", "cpu", "--dtype", "tf32", "--out", out.toString()),
                with(RUN, "--dtype", "int8", "--out", out.toString()),
                with(RUN, "--temperature", "-1", "--out", out.toString()),
                with(RUN, "--out", bad.toString()),
                with(RUN, "--out", bad.resolve("below").toString()),
                with(SALIENCY, "--head", "12.0", "--out", out.toString()),
                with(SALIENCY, "--head", "first", "--out", out.toString()),
                with(SALIENCY, "--objective", "beauty", "--out", out.toString()),
                with(SALIENCY, "--target", "zebra", "--out", out.toString()),
                with(SALIENCY, "--ablate", "0.3", "--out", out.toString()),
                with(SALIENCY, "--share-threshold", "30", "--out", out.toString()),
                List.of("saliency", "--model", "models/demo", "--out", out.toString()),
                with(GATES, "--task", "math.jsonl", "--out", out.toString()),
                with(GATES, "--task", "Math=data/syntax.jsonl", "--out", out.toString()),
                with(GATES, "--task", "Other=" + bad, "--out", out.toString()),
                with(GATES, "--lambda", "-0.1", "--out", out.toString()),
                with(GATES, "--rates", "0.1-0.01", "--out", out.toString()),
                with(GATES, "--rates", "1,1,1", "--out", out.toString()),
                with(GATES, "--forget", "data/math.jsonl", "--out", out.toString()),
                List.of("gates", "--model", "models/demo", "--out", out.toString()),
                functions("--texts", "data/qa.jsonl", "--out", out.toString()),
                functions("--texts", "data/functions.jsonl", "--epochs", "0", "--out", out.toString()),
                functions("--texts", "data/functions.jsonl", "--dropout", "1", "--out", out.toString()),
                functions("--texts", "data/functions.jsonl", "--mask", "many", "--out", out.toString()),
                functions("--texts", "data/functions.jsonl", "--top", "0", "--out", out.toString()),
                functions("--texts", "data/functions.jsonl", "--hidden", "1000000", "--out", out.toString()),
                List.of("render", folder.toString()),
                List.of("render", folder.toString(), folder.toString(), "--out", out.toString()),
                with(SALIENCY, "--head", "99.1", "--out", out.toString()),
                List.of("info", "models/demo", "--tokens", "129"),
                List.of("info", folder.toString()));
        for (List<String> command : commands) {
            ChildJvm.Result result = headscope(command);
            assertEquals(2, result.status(), command + ": " + result);
            assertEquals(1, result.err().lines().count(), command + ": " + result.err());
            assertTrue(result.err().startsWith("headscope: "), result.err());
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(bad), left.toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "demo", "answer", "spectra", "saliency", "functions", "gates", "render", "compare", "view", "info", "doctor",
        "selftest", "bench"
    })
    void helpFits80ColumnsAndContainsAnExample(String command) throws Exception {
        ChildJvm.Result result = headscope(command.isEmpty() ? List.of("--help") : List.of(command, "--help"));
        assertEquals(0, result.status());
        assertTrue(result.out().contains("Example"), result.out());
        assertTrue(result.out().contains("./headscope " + command), result.out());
        assertTrue(result.out().lines().allMatch(line -> line.length() <= 80), result.out());
        String examples = result.out().substring(result.out().indexOf("Example"));
        assertTrue(examples.lines().skip(1).allMatch(line -> line.startsWith("  ")), "an example is wrapped: " + examples);
    }

    @Test
    void describesModelAndMachine() throws Exception {
        ChildJvm.Result info = headscope(List.of("info", "models/demo"));
        assertEquals(0, info.status());
        assertTrue(info.out().matches("(?s).*layers +12\n.*heads +12\n.*parameters +5,404,992\n.*"), info.out());
        ChildJvm.Result doctor = headscope(List.of("doctor"));
        assertEquals(0, doctor.status(), doctor.out());
        assertTrue(doctor.out().contains("OpenGL") && doctor.out().contains("OpenBLAS"), doctor.out());
    }

    /** In a separate process, in which the loader finds an empty file instead of a driver. */
    @Test
    void reportsAMissingDriver() throws Exception {
        Path run = folder.resolve("run");
        Files.createFile(folder.resolve("libcuda.so.1"));
        Map<String, String> noDriver = Map.of("LD_LIBRARY_PATH", folder.toString());
        ChildJvm.Result refused = process(noDriver, with(RUN, "--device", "cuda", "--out", run.toString()));
        assertEquals(2, refused.status(), refused.err());
        assertEquals("headscope: --device cuda cannot be used: no NVIDIA driver is installed (libcuda.so.1 is missing):"
                + " install driver 580 or newer\n", refused.err());
        assertFalse(Files.exists(run));
        ChildJvm.Result doctor = process(noDriver, List.of("doctor"));
        assertTrue(doctor.out().contains("GPU        no NVIDIA driver is installed"), doctor.out());
        ChildJvm.Result narrow = process(noDriver, with(RUN, "--dtype", "tf32", "--out", run.toString()));
        assertEquals(2, narrow.status(), narrow.err());
        assertTrue(narrow.err().contains("--dtype tf32 needs a GPU: no NVIDIA driver is installed"), narrow.err());
    }

    @Test
    void rejectsUnknownCommands() throws Exception {
        assertEquals(2, headscope(List.of("frobnicate")).status());
    }

    private static List<String> functions(String... more) {
        return with(List.of("functions", "--model", "models/demo"), more);
    }

    static List<String> with(List<String> command, String... more) {
        return Stream.concat(command.stream(), Stream.of(more)).toList();
    }

    static ChildJvm.Result headscope(List<String> arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        ByteArrayOutputStream warned = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(warned, true, StandardCharsets.UTF_8));
            int status = HeadscopeCommand.run(arguments.toArray(String[]::new));
            return new ChildJvm.Result(status, printed.toString(StandardCharsets.UTF_8),
                    withoutProgress(warned.toString(StandardCharsets.UTF_8)));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    private static String withoutProgress(String text) {
        return text.lines()
                .filter(line -> !line.matches("\\w+: \\d+ of \\d+"))
                .map(line -> line + "\n")
                .collect(Collectors.joining());
    }

    private ChildJvm.Result process(Map<String, String> environment, List<String> arguments)
            throws IOException, InterruptedException {
        return ChildJvm.run(folder, environment, "", with(List.of("headscope.Main"), arguments.toArray(String[]::new)));
    }
}
