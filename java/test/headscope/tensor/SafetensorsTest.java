package headscope.tensor;

import static headscope.tensor.RawFile.entry;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsTest {
    private static final String INDEX = "model.safetensors.index.json";

    @TempDir
    private Path folder;

    @Test
    void readsNamesShapesAndMetadata() throws IOException {
        String json = "{\"__metadata__\":{\"format\":\"pt\"}," + entry("b", "I32", "[2,1]", 0, 8) + ","
                + entry("a", "U8", "[]", 8, 9) + "}   ";
        try (Safetensors stored = Safetensors.open(RawFile.write(folder.resolve("x"), json, 9))) {
            assertEquals(List.of("a", "b"), List.copyOf(stored.names()));
            assertEquals(Map.of("format", "pt"), stored.metadata());
            assertEquals(List.of(folder.resolve("x")), stored.files());
            assertTrue(stored.has("a"));
            assertFalse(stored.has("c"));
            StoredTensor b = stored.get("b");
            assertEquals(DType.I32, b.dtype());
            assertArrayEquals(new long[] {2, 1}, b.shape());
            assertEquals(2, b.count());
            assertArrayEquals(new long[] {0x03020100, 0x07060504}, b.longs());
            assertEquals(1, stored.get("a").count());
        }
    }

    @Test
    void emptyTensorsMayShareAnOffset() throws IOException {
        String json = "{" + entry("z", "F32", "[0]", 4, 4) + "," + entry("y", "F32", "[3,0]", 4, 4) + ","
                + entry("b", "F32", "[1]", 4, 8) + "," + entry("a", "F32", "[1]", 0, 4) + ","
                + entry("x", "I64", "[0]", 8, 8) + "}";
        try (Safetensors stored = Safetensors.open(RawFile.write(folder.resolve("x"), json, 8))) {
            assertEquals(Set.of("a", "b", "x", "y", "z"), stored.names());
            assertEquals(0, stored.get("y").floats().length);
        }
    }

    @Test
    void fileWithoutTensors() throws IOException {
        try (Safetensors stored = Safetensors.open(RawFile.write(folder.resolve("x"), "{}", 0))) {
            assertEquals(Set.of(), stored.names());
        }
    }

    @Test
    void readingAfterCloseThrows() throws IOException {
        Safetensors stored = Safetensors.open(
                RawFile.writeOneTensor(folder.resolve("x"), "a"));
        StoredTensor tensor = stored.get("a");
        stored.close();
        stored.close();
        assertThrows(IllegalStateException.class, tensor::floats);
    }

    @Test
    void folderWithOneFile() throws IOException {
        RawFile.writeOneTensor(folder.resolve("model.safetensors"), "a");
        try (Safetensors stored = Safetensors.open(folder)) {
            assertEquals(Set.of("a"), stored.names());
        }
    }

    @Test
    void folderWithShards() throws IOException {
        writeShards();
        index("{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}");
        try (Safetensors stored = Safetensors.open(folder)) {
            assertEquals(Set.of("a", "b"), stored.names());
            assertEquals(folder.resolve("2.safetensors"), stored.get("b").file());
            assertEquals(List.of(folder.resolve("1.safetensors"), folder.resolve("2.safetensors")),
                    stored.files());
        }
    }

    @Test
    void shardsMayBeSymbolicLinks() throws IOException {
        Path elsewhere = Files.createDirectory(folder.resolve("blobs"));
        RawFile.writeOneTensor(elsewhere.resolve("0f"), "a");
        Files.createSymbolicLink(folder.resolve("1.safetensors"), elsewhere.resolve("0f"));
        index("{\"a\":\"1.safetensors\"}");
        try (Safetensors stored = Safetensors.open(folder)) {
            assertEquals(Set.of("a"), stored.names());
        }
    }

    @Test
    void missingTensor() throws IOException {
        Path file = RawFile.write(folder.resolve("x"), "{}", 0);
        try (Safetensors stored = Safetensors.open(file)) {
            assertRejected(file + ": tensor \"a\": no such tensor", () -> stored.get("a"));
        }
    }

    @Test
    void missingFileAndEmptyFolder() throws IOException {
        Path absent = folder.resolve("absent");
        assertRejected(absent + ": no such file", () -> Safetensors.open(absent));
        assertRejected(folder + ": contains neither model.safetensors nor " + INDEX,
                () -> Safetensors.open(folder));
        Files.createDirectory(folder.resolve("model.safetensors"));
        assertRejected("model.safetensors: is a folder, not a file", () -> Safetensors.open(folder));
    }

    @Test
    void missingShard() throws IOException {
        writeShards();
        index("{\"a\":\"1.safetensors\",\"b\":\"3.safetensors\"}");
        assertRejected(INDEX + ": shard \"3.safetensors\": no such file", () -> Safetensors.open(folder));
    }

    @Test
    void tensorMissingFromItsShard() throws IOException {
        writeShards();
        index("{\"a\":\"1.safetensors\",\"b\":\"1.safetensors\"}");
        assertRejected(INDEX + ": tensor \"b\": is not in 1.safetensors", () -> Safetensors.open(folder));
        index("{\"a\":\"2.safetensors\",\"b\":\"1.safetensors\"}");
        assertRejected(INDEX + ": tensor \"a\": is not in 2.safetensors", () -> Safetensors.open(folder));
    }

    @Test
    void tensorInTwoShards() throws IOException {
        writeShards();
        RawFile.writeOneTensor(folder.resolve("2.safetensors"), "a");
        index("{\"a\":\"1.safetensors\",\"b\":\"2.safetensors\"}");
        assertRejected("2.safetensors: tensor \"a\": is also in 1.safetensors", () -> Safetensors.open(folder));
    }

    @ParameterizedTest
    @ValueSource(strings = {
            "../1.safetensors", "/etc/passwd", "..", ".", "", "sub/1.safetensors", "a\\\\b", "a\\u0000b"})
    void shardNamesWithPathsAreRejected(String name) throws IOException {
        index("{\"a\":\"" + name + "\"}");
        assertRejected("must be a name without a path", () -> Safetensors.open(folder));
    }

    @Test
    void malformedIndex() throws IOException {
        Path index = folder.resolve(INDEX);
        Map<String, String> rules = Map.of(
                "[]", "must be a JSON object",
                "", "must be a JSON object",
                "{}", "weight_map: lists no tensors",
                "{\"weight_map\":3}", "weight_map: must be an object of file names",
                "{\"weight_map\":{\"a\":3}}", "tensor \"a\": the file name must be a string",
                "{\"weight_map\":{\"a\":\"b\",\"a\":\"c\"}}", "is not valid JSON: Duplicate",
                "{\"weight_map\":{\"a\":\"b\"}} {}", "has more than one JSON value",
                "{\"metadata\":" + "[".repeat(1_000_000), "is not valid JSON: Document nesting depth");
        rules.forEach((text, rule) -> {
            write(index, text);
            assertRejected(index + ": " + rule, () -> Safetensors.open(folder));
        });
        Files.write(index, new byte[] {'{', '"', (byte) 0xff, '"', '}'});
        assertRejected(index + ": is not UTF-8", () -> Safetensors.open(folder));
    }

    private void writeShards() throws IOException {
        RawFile.writeOneTensor(folder.resolve("1.safetensors"), "a");
        RawFile.writeOneTensor(folder.resolve("2.safetensors"), "b");
    }

    private void index(String weightMap) throws IOException {
        Files.writeString(folder.resolve(INDEX), "{\"metadata\":{\"total_size\":8},\"weight_map\":"
                + weightMap + "}");
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }

    private static void assertRejected(String part, Executable action) {
        String message = assertThrows(ModelFormatException.class, action).getMessage();
        assertTrue(message.contains(part), message);
        assertFalse(message.contains("\n"), message);
    }
}
