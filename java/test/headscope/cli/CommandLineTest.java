package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.backend.Precision;
import headscope.backend.cuda.EmulatedDriver;
import headscope.result.Manifest;
import headscope.tensor.Safetensors;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The program as a user meets it: its exit status, and what it prints. */
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

    record Ended(int status, String out, String err) {}

    @Test
    void writesEveryFileAndDrawsTheSamePictureAgain() throws Exception {
        Path run = folder.resolve("run");
        Ended ended = headscope(with(RUN, "--out", run.toString()));

        assertEquals(0, ended.status(), ended.err());
        assertTrue(ended.out().contains("p < 0.05"), ended.out());
        assertTrue(ended.out().contains(run.resolve("spectra.png").toString()), ended.out());
        for (String name : List.of("manifest.json", "heads.csv", "samples.csv", "values.safetensors")) {
            assertTrue(Files.size(run.resolve(name)) > 0, name);
        }
        boolean onCpu = Manifest.read(run).text("/device").startsWith("cpu");
        assertEquals(onCpu, ended.err().contains("headscope: computing on the CPU: "), ended.err());
        Path again = folder.resolve("again.png");
        assertEquals(0, headscope(List.of("render", run.toString(), "--out", again.toString())).status());
        assertArrayEquals(Files.readAllBytes(run.resolve("spectra.png")), Files.readAllBytes(again));
    }

    @Test
    void drawsSaliencyInEveryWay() throws Exception {
        Path run = folder.resolve("run");
        for (String cell : List.of("max", "mean", "thumbnail", "share")) {
            Ended ended = headscope(with(SALIENCY, "--cell", cell, "--objective", "logit-difference:cow", "--skip-first",
                    "--transpose", "--overwrite", "--out", run.toString()));
            assertEquals(0, ended.status(), ended.err());
            assertTrue(ended.out().contains("horse -> the"), ended.out());
            Path again = folder.resolve("again.png");
            assertEquals(0, headscope(List.of("render", run.toString(), "--out", again.toString())).status());
            assertArrayEquals(Files.readAllBytes(run.resolve("saliency.png")), Files.readAllBytes(again));
        }
    }

    @Test
    void writesCommandsAsAShellTakesThem() throws Exception {
        List<String> words = List.of("saliency", "--text", "it's <CHI> $HOME", "--target", "", "--head", "0.3");
        Process shell = new ProcessBuilder("bash", "-c", "printf '%s\\n' " + ShellWords.joined(words)).start();
        assertEquals(words, new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList());
    }

    @Test
    void fitsGatesAndDrawsTheSamePicturesAgain() throws Exception {
        Path run = folder.resolve("run");
        Ended ended = headscope(with(GATES, "--out", run.toString()));

        assertEquals(0, ended.status(), ended.err());
        assertTrue(ended.out().contains("A sketch"), ended.out());
        assertTrue(ended.out().matches("(?s).*Math +Always +facilitating +[0-9.]+% +interfering .*"), ended.out());
        for (String name : List.of("manifest.json", "heads.csv", "check.csv", "values.safetensors")) {
            assertTrue(ended.out().contains(name) && Files.size(run.resolve(name)) > 0, name);
        }
        assertTrue(Files.readString(run.resolve("manifest.json")).contains("A sketch"));
        byte[] check = Files.readAllBytes(run.resolve("check-Math.png"));
        Path again = folder.resolve("again.png");
        assertEquals(0, headscope(List.of("render", run.toString(), "--out", again.toString())).status());
        assertArrayEquals(Files.readAllBytes(run.resolve("gates.png")), Files.readAllBytes(again));
        Path copy = Files.createDirectory(folder.resolve("copy"));
        for (String name : List.of("manifest.json", "heads.csv", "check.csv")) {
            Files.copy(run.resolve(name), copy.resolve(name));
        }
        Ended rendered = headscope(List.of("render", run.toString(), copy.toString()));
        assertEquals(List.of(run.resolve("gates.png"), run.resolve("check-Math.png"), copy.resolve("gates.png"),
                copy.resolve("check-Math.png")), rendered.out().lines().map(Path::of).toList(), rendered.err());
        assertArrayEquals(check, Files.readAllBytes(run.resolve("check-Math.png")));
        assertArrayEquals(check, Files.readAllBytes(copy.resolve("check-Math.png")));
    }

    @Test
    void tellsOfAContrastOnlyWhatThereIs() throws Exception {
        Path run = folder.resolve("run");
        Ended ended = headscope(List.of(
                "gates", "--model", "models/demo", "--forget", "data/math.jsonl", "--retain", "data/math.jsonl", "--quick",
                "--seeds", "1", "--limit", "8", "--updates", "2,2,2", "--out", run.toString()));

        assertEquals(0, ended.status(), ended.err());
        assertTrue(ended.out().contains("(heads.csv, values.safetensors, manifest.json)"), ended.out());
        assertFalse(Files.exists(run.resolve("check.csv")));
        assertTrue(Files.readString(run.resolve("manifest.json")).contains("1 seed, 2 updates, batches of 8"));
        assertTrue(Files.size(run.resolve("gates.png")) > 0);
    }

    @Test
    void drawsFunctionsAgain() throws Exception {
        Path run = folder.resolve("run");
        List<String> lines = Files.readAllLines(Path.of("data/functions.jsonl"));
        Path texts = Files.write(folder.resolve("few.jsonl"), lines.subList(0, 120));
        Ended ended = headscope(List.of("functions", "--model", "models/demo", "--texts", texts.toString(), "--epochs",
                "2", "--hidden", "32", "--mask", "4", "--draws", "1", "--out", run.toString()));

        assertEquals(0, ended.status(), ended.err());
        assertTrue(ended.out().contains("Knowledge Recall"), ended.out());
        assertTrue(ended.out().contains("heads are held back"), ended.out());
        byte[] drawn = Files.readAllBytes(run.resolve("functions.png"));
        assertEquals(0, headscope(List.of("render", run.toString())).status());
        assertArrayEquals(drawn, Files.readAllBytes(run.resolve("functions.png")));
    }

    @Test
    void writesTheNumbersWhereNothingCanBeDrawn() throws Exception {
        Path run = folder.resolve("run");
        Ended ended = process(
                Map.of("__EGL_VENDOR_LIBRARY_FILENAMES", "/dev/null"), with(RUN, "--out", run.toString()));

        assertEquals(0, ended.status(), ended.err());
        assertTrue(ended.err().contains("no picture: "), ended.err());
        assertTrue(ended.err().contains("apt-get install libegl1 libgl1-mesa-dri"), ended.err());
        assertTrue(ended.err().contains("./headscope render " + run), ended.err());
        assertTrue(Files.exists(run.resolve("heads.csv")));
        assertFalse(Files.exists(run.resolve("spectra.png")));
    }

    @Test
    void refusesUnusableInputInOneLineAndWritesNothing() throws Exception {
        Path out = folder.resolve("run");
        Files.writeString(folder.resolve("bad.jsonl"), "{\"prompt\": \"a\", \"answer\": \"b\"}\n{]\n");
        Path bad = folder.resolve("bad.jsonl");
        List<List<String>> commands = List.of(
                List.of("spectra", "--model", "nowhere", "--texts", "data/qa.jsonl", "--out", out.toString()),
                List.of("spectra", "--model", "models/demo", "--texts", bad.toString(), "--out", out.toString()),
                List.of("spectra", "--model", "models/demo", "--texts", "nowhere", "--out", out.toString()),
                with(RUN, "--k", "0", "--out", out.toString()),
                with(RUN, "--k", "1000", "--out", out.toString()),
                with(RUN, "--metrics", "beauty", "--out", out.toString()),
                with(RUN, "--device", "abacus", "--out", out.toString()),
                with(RUN, "--device", "cuda:", "--out", out.toString()),
                with(RUN, "--device", "cpu", "--dtype", "bf16", "--out", out.toString()),
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
                List.of("info", folder.toString()));
        for (List<String> command : commands) {
            Ended ended = headscope(command);
            assertEquals(2, ended.status(), command + ": " + ended);
            assertEquals(1, ended.err().lines().count(), command + ": " + ended.err());
            assertTrue(ended.err().startsWith("headscope: "), ended.err());
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(bad), left.toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "demo", "spectra", "saliency", "functions", "gates", "render", "info", "doctor", "selftest", "bench"
    })
    void helpsWithAnExample(String command) throws Exception {
        Ended ended = headscope(command.isEmpty() ? List.of("--help") : List.of(command, "--help"));
        assertEquals(0, ended.status());
        assertTrue(ended.out().contains("Example"), ended.out());
        assertTrue(ended.out().contains("./headscope " + command), ended.out());
    }

    @Test
    void tellsWhatAModelAndAMachineAre() throws Exception {
        Ended info = headscope(List.of("info", "models/demo"));
        assertEquals(0, info.status());
        assertTrue(info.out().matches("(?s).*layers +12\n.*heads +12\n.*parameters +5,404,992\n.*"), info.out());
        Ended doctor = headscope(List.of("doctor"));
        assertEquals(0, doctor.status(), doctor.out());
        assertTrue(doctor.out().contains("OpenGL") && doctor.out().contains("OpenBLAS"), doctor.out());
    }

    /** In a process whose loader finds a driver that is none, whatever the machine has. */
    @Test
    void saysWhatAGpuLacks() throws Exception {
        Path run = folder.resolve("run");
        Files.createFile(folder.resolve("libcuda.so.1"));
        Map<String, String> noDriver = Map.of("LD_LIBRARY_PATH", folder.toString());
        Ended refused = process(noDriver, with(RUN, "--device", "cuda", "--out", run.toString()));
        assertEquals(2, refused.status(), refused.err());
        assertEquals("headscope: --device cuda cannot be used: no NVIDIA driver is installed (libcuda.so.1 is missing):"
                + " install driver 580 or newer\n", refused.err());
        assertFalse(Files.exists(run));
        Ended doctor = process(noDriver, List.of("doctor"));
        assertTrue(doctor.out().contains("GPU        no NVIDIA driver is installed"), doctor.out());
        Ended narrow = process(noDriver, with(RUN, "--dtype", "tf32", "--out", run.toString()));
        assertEquals(2, narrow.status(), narrow.err());
    }

    /** A run on a GPU, whose driver is emulated: JCuda, our device layer and kernels give the CPU's numbers. */
    @ParameterizedTest
    @CsvSource({"'', F32, spectral_entropy", "cublas12, F32, entropy", "cublas13, BF16, entropy"})
    void runsOnAnEmulatedDriver(String cublas, Precision precision, String metric) throws Exception {
        Path cpu = folder.resolve("cpu");
        Path cuda = folder.resolve("cuda");
        List<String> run = List.of("spectra", "--model", "models/demo", "--texts", "data/qa.jsonl", "--limit", "6",
                "--max-new-tokens", "1", "--k", "3", "--metrics", metric, "--check");
        assertEquals(0, headscope(with(run, "--device", "cpu", "--out", cpu.toString())).status());
        EmulatedDriver.Ended ended = EmulatedDriver.headscope(
                folder, cublas.isEmpty() ? Map.of() : Map.of("HEADSCOPE_CUBLAS", "target/cuda/" + cublas),
                with(run, "--dtype", precision.name().toLowerCase(Locale.ROOT), "--out", cuda.toString()));

        assertEquals(0, ended.status(), ended.err());
        assertEquals(cublas.isEmpty(), ended.err().contains("headscope: no cuBLAS 12 or 13: "), ended.err());
        assertTrue(Files.readString(cuda.resolve("manifest.json")).contains("cuda:0, Emulated GPU"));
        try (Safetensors expected = Safetensors.open(cpu.resolve("values.safetensors"));
                Safetensors actual = Safetensors.open(cuda.resolve("values.safetensors"))) {
            assertEquals(expected.names(), actual.names());
            for (String name : List.of("attention_score", metric)) {
                float[] values = floats(expected, name);
                assertArrayEquals(values, floats(actual, name), Tolerance.model(precision.operands, values), name);
            }
        }
    }

    private static float[] floats(Safetensors file, String name) {
        return file.get(name).bytes().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    @Test
    void tellsWhatAGpuIs() throws Exception {
        EmulatedDriver.Ended ended = EmulatedDriver.headscope(
                folder, Map.of("HEADSCOPE_CUBLAS", "target/cuda/cublas13"), List.of("doctor"));
        assertTrue(ended.out().contains("GPU        cuda:1, Emulated GPU, compute capability 9.0, 1.0 GiB: "
                + "compiled for compute capability 9.0"), ended.out());
        assertTrue(ended.out().contains("products   cuBLAS 13.0.0"), ended.out());
        assertTrue(ended.out().contains("kernels    CUDA 13, for compute capability 8.0, 9.0 and newer"), ended.out());
    }

    @Test
    void namesTheGpusThereAre() throws Exception {
        EmulatedDriver.Ended ended = EmulatedDriver.headscope(
                folder, Map.of(), with(RUN, "--device", "cuda:2", "--out", folder.resolve("run").toString()));
        assertEquals(2, ended.status());
        assertEquals("headscope: --device cuda cannot be used: there is no cuda:2, only cuda:0, cuda:1", ended.err());
    }

    @Test
    void knowsNoOtherCommand() throws Exception {
        assertEquals(2, headscope(List.of("frobnicate")).status());
    }

    private static List<String> functions(String... more) {
        return with(List.of("functions", "--model", "models/demo"), more);
    }

    static List<String> with(List<String> command, String... more) {
        return Stream.concat(command.stream(), Stream.of(more)).toList();
    }

    static Ended headscope(List<String> arguments) {
        PrintStream out = System.out;
        PrintStream err = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        ByteArrayOutputStream warned = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(warned, true, StandardCharsets.UTF_8));
            int status = HeadscopeCommand.run(arguments.toArray(String[]::new));
            return new Ended(status, said.toString(StandardCharsets.UTF_8),
                    withoutProgress(warned.toString(StandardCharsets.UTF_8)));
        } finally {
            System.setOut(out);
            System.setErr(err);
        }
    }

    private static String withoutProgress(String said) {
        return said.lines()
                .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                .filter(line -> !line.matches("\\w+: \\d+ of \\d+"))
                .reduce("", (text, line) -> text + line + "\n");
    }

    /** In a process of its own, with this JVM's flags. */
    private Ended process(Map<String, String> environment, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "--add-modules", "jdk.incubator.vector",
                "--sun-misc-unsafe-memory-access=allow",
                "-Djava.library.path=" + System.getProperty("java.library.path"), "-cp", System.getProperty("java.class.path"),
                "headscope.Main"));
        command.addAll(arguments);
        Path out = folder.resolve("out.txt");
        Path err = folder.resolve("err.txt");
        ProcessBuilder process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        process.environment().putAll(environment);
        Process running = process.start();
        assertTrue(running.waitFor(2, TimeUnit.MINUTES), "still running: " + command);
        return new Ended(running.exitValue(), Files.readString(out), withoutProgress(Files.readString(err)));
    }
}
