package headscope.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.tensor.SafetensorsWriter.Layout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    private Path folder;

    @Test
    void filesSurviveARoundTrip() throws IOException {
        Path file = folder.resolve("x.safetensors");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file,
                Map.of("made by", "\"a\" \u00e9 \ud83d\ude00"), List.of(
                new Layout("f", DType.F32, 3), new Layout("l", DType.I64, 1, 2), new Layout("i", DType.I32),
                new Layout("none", DType.F32, 0, 7)))) {
            writer.append("f", 1.5f, Float.NaN, -0f);
            writer.append("l", Long.MIN_VALUE, 7);
            writer.append("i", -3);
            writer.commit();
        }
        try (Safetensors stored = Safetensors.open(file)) {
            assertEquals(Map.of("made by", "\"a\" \u00e9 \ud83d\ude00"), stored.metadata());
            assertArrayEquals(new float[] {1.5f, Float.NaN, -0f}, stored.get("f").floats());
            assertArrayEquals(new long[] {Long.MIN_VALUE, 7}, stored.get("l").longs());
            assertArrayEquals(new long[] {-3}, stored.get("i").longs());
            assertArrayEquals(new long[] {0, 7}, stored.get("none").shape());
            assertArrayEquals(new long[0], stored.get("i").shape());
        }
        assertEquals(List.of(file), list());
    }

    /** The header is in declared order and padded to 8 bytes; the data begin with the widest elements. */
    @Test
    void bytesOfTheFile() throws IOException {
        Path file = folder.resolve("x");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(),
                List.of(new Layout("f", DType.F32, 1), new Layout("l", DType.I64, 1)))) {
            writer.append("f", 1f);
            writer.append("l", 2L);
            writer.commit();
        }
        MemorySegment bytes = MemorySegment.ofArray(Files.readAllBytes(file));
        int length = (int) bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
        String json = new String(bytes.toArray(ValueLayout.JAVA_BYTE), 8, length, StandardCharsets.UTF_8);
        assertEquals("{\"f\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]},"
                + "\"l\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", json.strip());
        assertEquals(0, length % 8);
        assertEquals(8 + length + 12, bytes.byteSize());
        assertEquals(2, bytes.get(ValueLayout.JAVA_LONG_UNALIGNED, 8 + length));
        assertEquals(1f, bytes.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 8 + length + 8));
    }

    /** Alternating rows of two tensors, each longer than the writer's block. */
    @Test
    void tensorsAreFilledInAnyOrder() {
        int rows = 5;
        int width = 40_001;
        Path file = folder.resolve("x");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(),
                List.of(new Layout("f", DType.F32, rows, width), new Layout("i", DType.I32, rows, width)))) {
            for (int row = 0; row < rows; row++) {
                float[] floats = new float[width];
                for (int i = 0; i < width; i++) {
                    floats[i] = row * width + i;
                }
                writer.append("f", floats);
                writer.append("i", IntStream.range(row * width, (row + 1) * width).toArray());
            }
            writer.commit();
        }
        try (Safetensors stored = Safetensors.open(file)) {
            float[] floats = stored.get("f").floats();
            long[] integers = stored.get("i").longs();
            for (int i = 0; i < rows * width; i++) {
                assertEquals(i, floats[i]);
                assertEquals(i, integers[i]);
            }
        }
    }

    @Test
    void withoutCommitTheFileIsUnchanged() throws IOException {
        Path file = Files.writeString(folder.resolve("x"), "old");
        try (SafetensorsWriter writer = writer(file)) {
            writer.append("f", 1f);
        }
        assertEquals("old", Files.readString(file));
        assertEquals(List.of(file), list());
    }

    @Test
    void incompleteTensorsAreNotCommitted() throws IOException {
        Path file = folder.resolve("x");
        try (SafetensorsWriter writer = writer(file)) {
            writer.append("f", 1f);
            String message = assertThrows(IllegalStateException.class, writer::commit).getMessage();
            assertEquals(file + ": the last 1 elements of tensor f are missing", message);
        }
        assertEquals(List.of(), list());
    }

    @Test
    void failedRenamesDeleteTheTemporaryFile() throws IOException {
        Path file = Files.createDirectory(folder.resolve("x"));
        try (SafetensorsWriter writer = writer(file)) {
            writer.append("f", 1f, 2f);
            assertThrows(UncheckedIOException.class, writer::commit);
            assertEquals(List.of(file), list());
        }
        assertThrows(UncheckedIOException.class, () -> writer(folder.resolve("absent").resolve("x")));
    }

    /** Simulates a full disk by a process whose files are limited to 256 KiB. */
    @Test
    void failedWritesDeleteTheTemporaryFile() throws Exception {
        Path file = folder.resolve("x");
        Process process = new ProcessBuilder("bash", "-c", "ulimit -f 256; exec \"$@\"", "bash",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:-UsePerfData",
                "-cp", System.getProperty("java.class.path"), LargeFile.class.getName(), file.toString())
                .redirectErrorStream(true).start();
        assertEquals(List.of(file + ": cannot be written: file too large"), process.inputReader().lines().toList());
        assertEquals(0, process.waitFor());
        assertEquals(List.of(), list());
    }

    /** Writes a megabyte. */
    static final class LargeFile {
        private LargeFile() {}

        public static void main(String[] arguments) {
            List<Layout> layouts = List.of(new Layout("f", DType.F32, 1 << 18));
            try (SafetensorsWriter writer = SafetensorsWriter.create(Path.of(arguments[0]), Map.of(), layouts)) {
                writer.append("f", new float[1 << 18]);
                writer.commit();
            } catch (UncheckedIOException failure) {
                System.out.println(failure.getMessage());
            }
        }
    }

    @Test
    void invalidArgumentsAreRejected() {
        try (SafetensorsWriter writer = writer(folder.resolve("x"))) {
            assertEquals("f has room for 2 more elements, not 3",
                    rejection(() -> writer.append("f", 1f, 2f, 3f)));
            assertEquals("f is F32, not I64", rejection(() -> writer.append("f", 1L)));
            assertEquals("tensor g was not declared; declared are [f]", rejection(() -> writer.append("g", 1f)));
        }
        assertEquals("two tensors are named f",
                rejection(() -> SafetensorsWriter.create(folder.resolve("x"), Map.of(),
                List.of(new Layout("f", DType.F32), new Layout("f", DType.I64)))));
        assertEquals("the tensors are over 2^63 bytes",
                rejection(() -> SafetensorsWriter.create(folder.resolve("x"),
                Map.of(), List.of(new Layout("f", DType.F32, 1L << 61)))));
        assertEquals("a tensor cannot be named __metadata__",
                rejection(() -> new Layout("__metadata__", DType.F32)));
        assertEquals("f: shape [-1]", rejection(() -> new Layout("f", DType.F32, -1)));
        assertEquals("f: dtype F16 cannot be written; supported are F32, I64, I32",
                rejection(() -> new Layout("f", DType.F16)));
        Map<String, String> metadata = Map.of("k", "\ud800");
        String unpaired = "\"\\ud800\" contains an unpaired surrogate";
        assertEquals(unpaired,
                rejection(() -> SafetensorsWriter.create(folder.resolve("x"), metadata, List.of())));
        assertEquals(unpaired, rejection(() -> SafetensorsWriter.create(folder.resolve("x"), Map.of(),
                List.of(new Layout("\ud800", DType.F32)))));
    }

    private static SafetensorsWriter writer(Path file) {
        return SafetensorsWriter.create(file, Map.of(), List.of(new Layout("f", DType.F32, 2)));
    }

    private static String rejection(Runnable action) {
        return assertThrows(IllegalArgumentException.class, action::run).getMessage();
    }

    private List<Path> list() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
