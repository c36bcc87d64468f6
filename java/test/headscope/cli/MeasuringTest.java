package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.ChildJvm;
import headscope.backend.Backend;
import headscope.backend.InstrumentedBackend;
import headscope.backend.Precision;
import headscope.backend.cuda.EmulatedDriver;
import headscope.selftest.Selection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands {@code selftest} and {@code bench}. */
class MeasuringTest {
    @TempDir
    Path folder;

    @Test
    void selfTestPasses() throws Exception {
        ChildJvm.Result result = CommandLineTest.headscope(List.of(
                "selftest", "--device", "cpu", "--only", "linear,rmsNorm", "--max-tokens", "3", "--report", folder.toString()));
        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().endsWith("\n8 of 8 cases agree.\n"), result.out());
        assertEquals(result.out(), Files.readString(folder.resolve("selftest.md")));
    }

    /** The emulated cuBLAS truncates fp32 to ten bits of mantissa for tf32, as tensor cores do. */
    @ParameterizedTest
    @ValueSource(strings = {"f32", "tf32"})
    void selfTestPassesOnAnEmulatedDriver(String precision) throws Exception {
        ChildJvm.Result result = EmulatedDriver.headscope(
                folder, Map.of("HEADSCOPE_CUBLAS", "target/cuda/cublas13"), List.of(
                        "selftest", "--device", "cuda", "--dtype", precision, "--only", "linear", "--max-tokens", "65"));
        assertEquals(0, result.status(), result.out() + result.err());
    }

    @Test
    void selfTestReportsDisagreement() throws IOException {
        try (Backend cpu = Backend.open("cpu:1")) {
            Backend wrong = InstrumentedBackend.faulty(cpu, "gradients.linear");
            assertEquals(1, SelfTestCommand.run(
                    wrong, Precision.F32, cpu, new Selection(List.of("linear"), 3), Optional.of(folder)));
        }
        String table = Files.readString(folder.resolve("selftest.md"));
        assertTrue(table.matches("(?s).*\\| linear +\\| +2 \\|[^|]*\\| agrees \\|\n.*"), table);
        assertTrue(table.matches("(?s).*\\| linear's gradient +\\| +2 \\|[^|]*\\| DISAGREES \\|\n.*"), table);
        assertTrue(table.contains("\n4 of 6 cases agree.\n- linear's gradient, 1 x 1 x 3: error "), table);
    }

    @Test
    void benchReportsChanges() throws Exception {
        Path json = folder.resolve("now.json");
        Path targets = folder.resolve("targets.md");
        Path chart = folder.resolve("chart.svg");
        ChildJvm.Result result = bench("--spectra", "3", "--model", "models/demo", "--tokens", "5,1000",
                "--batches", "1,2", "--json", json.toString(), "--targets", targets.toString(), "--chart", chart.toString());
        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().contains("demo                 5 all statistics: "), result.out());
        assertTrue(result.out().contains("demo               128 all statistics: "), result.out());
        assertTrue(Files.readString(targets).matches("(?s).*\\| the same with all statistics[^|]*\\| at most 1.1 x \\| not measured \\|.*"));

        assertTrue(result.out().matches("(?s).*demo +64 decoding, 1 text, observed .* tokens/s .*decoding of token 128, kernel by kernel: .*"),
                result.out());
        assertTrue(Files.readString(chart).contains(">prefill of 128 tokens: "));

        ChildJvm.Result more = bench("--spectra", "2", "--add", json.toString(), "--json", json.toString());
        assertEquals(0, more.status(), more.err());
        assertTrue(Files.readString(json).contains("forward pass, observed"));

        Path slow = rescaled(json, "slow.json", 1e6);
        Path fast = rescaled(json, "fast.json", 1e-6);
        assertEquals(0, bench("--spectra", "3", "--compare", slow.toString()).status());
        ChildJvm.Result regression = bench("--spectra", "3", "--compare", fast.toString());
        assertEquals(1, regression.status(), regression.err());
        assertTrue(regression.out().matches("(?s).*spectra, 3 tokens, F32: symmetric spectra, cpu .*SLOWER\n"), regression.out());
    }

    /** Writes the same measurements with all times multiplied by a factor. */
    private Path rescaled(Path json, String name, double factor) throws IOException {
        JsonNode file = new ObjectMapper().readTree(Files.readString(json));
        for (JsonNode one : file.get("measurements")) {
            for (String time : List.of("median_ms", "least_ms", "most_ms")) {
                ((ObjectNode) one).put(time, factor * one.get(time).asDouble());
            }
        }
        return Files.writeString(folder.resolve(name), file.toString());
    }

    @Test
    void benchAndSelfTestRejectInvalidInput() throws Exception {
        Path text = Files.writeString(folder.resolve("text.json"), "nothing");
        Path other = Files.writeString(folder.resolve("other.json"), "{\"samples\": []}");
        for (List<String> unusable : List.of(
                List.of("--compare", text.toString()), List.of("--compare", other.toString()),
                List.of("--compare", folder.resolve("none").toString()), List.of("--peers", text.toString()), List.of("--add", text.toString()),
                List.of("--chart", "roofline.png"), List.of("--model", "models/demo", "--chart", "roofline.pdf"),
                List.of("--json", folder.resolve("none/a.json").toString()), List.of("--batches", "1,0"),
                List.of("--model", folder.resolve("none").toString()),
                List.of("--shape", "gpt5"), List.of("--tokens", "0"), List.of("--spectra", "many"),
                List.of("--spectra", "100000"))) {
            ChildJvm.Result result = bench(unusable.toArray(String[]::new));
            assertEquals(2, result.status(), unusable + ": " + result);
            assertEquals(1, result.err().lines().count(), result.err());
        }
        ChildJvm.Result selection = CommandLineTest.headscope(List.of("selftest", "--only", "beauty"));
        assertEquals(2, selection.status());
        assertEquals(1, selection.err().lines().count(), selection.err());
        assertFalse(Files.exists(folder.resolve("none")));
    }

    /** Before the device, which is not there, is opened. */
    @ParameterizedTest
    @ValueSource(strings = {"--json", "--targets", "--chart"})
    void benchRefusesFilesThatCannotBeWrittenBeforeItMeasures(String option) throws IOException {
        Path file = Files.writeString(folder.resolve("file.svg"), "");
        for (Path unwritable : List.of(folder, folder.resolve("none/x.svg"), file.resolve("x.svg"), folder.resolve("x".repeat(300) + ".svg"))) {
            ChildJvm.Result result = CommandLineTest.headscope(List.of(
                    "bench", "--device", "cuda:99", "--model", "models/demo", option, unwritable.toString()));
            assertEquals(2, result.status(), result.toString());
            assertEquals(1, result.err().lines().count(), result.err());
            assertTrue(result.err().contains(": cannot be written: "), result.err());
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    private static ChildJvm.Result bench(String... options) throws Exception {
        return CommandLineTest.headscope(CommandLineTest.with(List.of("bench", "--device", "cpu"), options));
    }
}
