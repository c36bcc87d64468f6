package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.backend.cuda.EmulatedDriver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The default of --dtype. */
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
}
