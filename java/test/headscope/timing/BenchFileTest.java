package headscope.timing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Reading, writing and comparing measurements. */
class BenchFileTest {
    @TempDir
    Path folder;

    /** A measurement with 10 % noise. */
    private static Measurement measurement(String operation, double median) {
        return new Measurement("gpt2", 8, "F32", operation, "cpu", 5, median, 0.9 * median, 1.1 * median, 1e9, 2e6, 4096);
    }

    private static BenchFile file(Measurement... measurements) {
        return new BenchFile("headscope", "a device", "2026-01-01T00:00:00Z", new Ceilings(2, 100), List.of(measurements));
    }

    @Test
    void readsWhatItWrites() throws IOException {
        BenchFile written = file(measurement("attention", 0.25), measurement("laplacian", 0.5));
        assertEquals(written, BenchFile.read(Files.writeString(folder.resolve("bench.json"), written.text())));
    }

    @Test
    void reportsRegressionsBeyondNoise() {
        BenchFile before = file(measurement("a", 1), measurement("b", 1), measurement("c", 1), measurement("gone", 1));
        BenchFile now = file(measurement("a", 1.5), measurement("b", 1.15), measurement("c", 0.5), measurement("new", 1));
        List<BenchFile.Change> changes = now.since(before);
        assertEquals(List.of(true, false, false), changes.stream().map(BenchFile.Change::isRegression).toList());
        assertEquals(1.5, changes.getFirst().ratio(), 1e-12);
        assertEquals(0.2, changes.getFirst().noise(), 1e-12);
        assertEquals("gpt2, 8 tokens, F32: a, cpu", changes.getFirst().name());
    }

    /** Such as the time of reading the weights. */
    @Test
    void aSingleRunIsNotCompared() {
        Measurement once = new Measurement("gpt2", 0, "F32", "a", "wall clock", 1, 1, 1, 1, 0, 0, 0);
        Measurement slower = new Measurement("gpt2", 0, "F32", "a", "wall clock", 1, 2, 2, 2, 0, 0, 0);
        assertEquals(1, file(slower, measurement("b", 1)).since(file(once, measurement("b", 1))).size());
    }

    @Test
    void addsMeasurementsThatWereNotRepeated() {
        BenchFile before = file(measurement("a", 1), measurement("b", 1));
        BenchFile now = file(measurement("b", 2), measurement("c", 3));
        assertEquals(List.of(measurement("a", 1), measurement("b", 2), measurement("c", 3)), now.with(before).measurements());
        BenchFile other = new BenchFile("headscope", "another device", "", new Ceilings(1, 1), List.of());
        assertTrue(assertThrows(IllegalArgumentException.class, () -> now.with(other)).getMessage().contains("another device"));
    }

    @Test
    void refusesFilesWithoutCommonMeasurements() {
        assertTrue(assertThrows(IllegalArgumentException.class,
                () -> file(measurement("a", 1)).since(file(measurement("b", 1)))).getMessage().contains("a device"));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "{", "[]", "{\"measurements\": 3}", "{\"measurements\": [{}]}", "{\"measurements\": [{\"median_ms\": -1}]}"
    })
    void refusesOtherFiles(String text) throws IOException {
        Path other = Files.writeString(folder.resolve("other.json"), text);
        String message = assertThrows(IllegalArgumentException.class, () -> BenchFile.read(other)).getMessage();
        assertTrue(message.startsWith(other + ": ") && message.endsWith("give a file written by bench --json"), message);
        assertEquals(1, message.lines().count(), message);
    }

    @Test
    void readsTimesOfOtherPrograms() throws IOException {
        Path torch = Files.writeString(folder.resolve("torch.json"), "{\"torch\": \"2.9\", \"flash\": 1.5, \"eager\": 90}");
        assertEquals(Map.of("flash", 1.5, "eager", 90.0), BenchFile.readPeers(torch));
        assertThrows(IllegalArgumentException.class, () -> BenchFile.readPeers(folder.resolve("none")));
    }
}
