package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.backend.cuda.EmulatedDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The default of --dtype, and what it means on the CPU. */
class PrecisionTest {
    @TempDir
    private Path folder;

    /** A GPU computes in the checkpoint's own type, here that of the demo. */
    @Test
    void computesInTheTypeOfTheCheckpoint() throws Exception {
        List<String> run = List.of("spectra", "--model", "models/demo", "--texts", "data/qa.jsonl", "--limit", "2",
                "--max-new-tokens", "1", "--k", "3", "--metrics", "entropy");
        Map<String, String> cublas = Map.of("HEADSCOPE_CUBLAS", "target/cuda/cublas13");
        List<String> types = List.of("", "auto", "bf16", "f32");
        for (int i = 0; i < types.size(); i++) {
            Path out = folder.resolve("run" + i);
            List<String> type = types.get(i).isEmpty() ? List.of() : List.of("--dtype", types.get(i));
            ChildJvm.Result result = EmulatedDriver.headscope(folder, cublas,
                    Stream.of(run, type, List.of("--out", out.toString())).flatMap(List::stream).toList());
            assertEquals(0, result.status(), result.err());
            assertTrue(Files.readString(out.resolve("manifest.json")).contains(
                    "\"dtype\" : \"%s\"".formatted(types.get(i).equals("f32") ? "F32" : "BF16")), types.get(i));
        }
        for (int i = 1; i < 3; i++) {
            assertEquals(-1, Files.mismatch(folder.resolve("run0/values.safetensors"), folder.resolve("run" + i + "/values.safetensors")));
        }
        Path cpu = folder.resolve("cpu");
        assertEquals(0, CommandLineTest.headscope(CommandLineTest.with(run, "--device", "cpu", "--out", cpu.toString())).status());
        assertTrue(Files.readString(cpu.resolve("manifest.json")).contains("\"dtype\" : \"F32\""));
    }

    /** On the CPU, weights that are kept in 16 bits give the run of f32: bytes and id, forwards and backwards. */
    @Test
    void keepsWeightsOnTheCpu() throws Exception {
        Map<String, List<String>> runs = Map.of(
                "spectra", List.of("spectra", "--model", "models/demo", "--texts", "data/qa.jsonl", "--limit", "12", "--k", "3"),
                "saliency", List.of("saliency", "--model", "models/demo", "--text",
                        "<CHI> painted a picture of a horse <CHI> my favorite animal is the"),
                "gates", List.of("gates", "--model", "models/demo", "--task", "Math=data/math.jsonl", "--quick", "--seeds", "1",
                        "--limit", "8", "--updates", "2,2,2", "--check-texts", "1"));
        for (String analysis : runs.keySet()) {
            Path wide = folder.resolve(analysis + "-f32");
            Path kept = folder.resolve(analysis + "-bf16");
            List<String> run = CommandLineTest.with(runs.get(analysis), "--device", "cpu");
            assertEquals(0, CommandLineTest.headscope(CommandLineTest.with(run, "--out", wide.toString())).status());
            ChildJvm.Result result = CommandLineTest.headscope(
                    CommandLineTest.with(run, "--dtype", "bf16", "--out", kept.toString()));
            assertEquals(0, result.status(), result.err());
            for (Path file : files(wide)) {
                assertEquals(-1, Files.mismatch(file, kept.resolve(wide.relativize(file))), file.toString());
            }
            String manifest = Files.readString(kept.resolve("manifest.json"));
            assertTrue(manifest.contains(", weights in bf16\""), manifest);
            assertEquals(id(Files.readString(wide.resolve("manifest.json"))), id(manifest));
        }
    }

    /** The tables and values of a run, at least two. */
    private static List<Path> files(Path run) throws IOException {
        try (Stream<Path> files = Files.list(run)) {
            List<Path> found = files.filter(file -> file.toString().matches(".*\\.(csv|safetensors)")).toList();
            assertTrue(found.size() >= 2, run + ": " + found);
            return found;
        }
    }

    private static String id(String manifest) {
        return manifest.lines().filter(line -> line.contains("\"run\" :")).findFirst().orElseThrow();
    }

    /** The CPU rounds no weights. */
    @Test
    void rejectsTypesThatTheCheckpointDoesNotHave() {
        Path out = folder.resolve("run");
        rejectsF16(List.of("spectra", "--model", "models/demo", "--texts", "data/qa.jsonl", "--out", out.toString()));
        assertTrue(Files.notExists(out));
        assertEquals("", rejectsF16(List.of("bench", "--model", "models/demo")).out(), "refused before anything is timed");
    }

    private static ChildJvm.Result rejectsF16(List<String> command) {
        ChildJvm.Result result = CommandLineTest.headscope(
                Stream.concat(command.stream(), Stream.of("--device", "cpu", "--dtype", "f16")).toList());
        assertEquals(2, result.status());
        assertTrue(result.err().contains("has no weights in f16: on the CPU, --dtype f16 keeps weights as they are stored and"
                + " rounds none; use --dtype f32"), result.err());
        return result;
    }
}
