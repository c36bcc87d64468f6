package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.backend.DeviceChoice;
import headscope.result.RunFolderException;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a run remembers of its input, and what it keeps when it fails. */
class RunTest {
    private static final ProgressFile<float[]> FLOATS = new ProgressFile<>(
            values -> new ProgressFile.Contents(Map.of(), Map.of("x", values), Map.of()),
            file -> file.get("x").floats());

    @TempDir
    private Path folder;
    private Path model;
    private Path out;
    private Path partial;

    @BeforeEach
    void copyModel() throws IOException {
        model = Files.createDirectory(folder.resolve("model"));
        out = folder.resolve("run");
        partial = folder.resolve("run.partial");
        for (String name : List.of("config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
                "tokenizer_config.json")) {
            Files.copy(Path.of("models/demo").resolve(name), model.resolve(name));
        }
    }

    @Test
    void everyFileThatDecidesNumbersIsPartOfTheInput() throws IOException {
        ObjectNode manifest = interrupt();
        assertEquals("F32", manifest.at("/model/dtype").asText());
        assertEquals("BF16", manifest.at("/model/stored_dtype").asText());
        Map<String, String> files = Map.of(
                "config_sha256", "config.json",
                "tokenizer_sha256", "tokenizer.json",
                "tokenizer_config_sha256", "tokenizer_config.json",
                "generation_config_sha256", "generation_config.json");
        for (Map.Entry<String, String> one : files.entrySet()) {
            Path file = model.resolve(one.getValue());
            String text = Files.readString(file);
            assertEquals(Digest.of(List.of(file)), manifest.at("/model/" + one.getKey()).asText());
            Files.writeString(file, text + "\n");
            refused(differs("model." + one.getKey()));
            Files.writeString(file, text);
        }
        for (Map.Entry<String, String> one : Map.of("chat_template_sha256", "chat_template.jinja",
                "weights_index_sha256", "model.safetensors.index.json").entrySet()) {
            Path file = Files.writeString(model.resolve(one.getValue()), "{}");
            refused(differs("model." + one.getKey()));
            Files.delete(file);
        }
        assertResumes();
    }

    @Test
    void anotherTokenizerIsAnotherRun() throws IOException {
        ObjectNode first = interrupt();
        Files.writeString(model.resolve("tokenizer.json"), Files.readString(model.resolve("tokenizer.json")) + " ");
        try (Run run = open(false, true)) {
            assertNotEquals(first.get("run"), run.manifest("test").get("run"));
        }
    }

    /** Told apart from another model, and nothing is deleted. */
    @Test
    void damagedRequestIsNamed() throws IOException {
        interrupt();
        Path request = partial.resolve(".headscope-progress/request.json");
        byte[] whole = Files.readAllBytes(request);
        String text = Files.readString(request);
        for (String damaged : List.of("", "{}", "[]", "null", text.substring(0, text.length() - 1), text + "}", text + text,
                "\0".repeat(whole.length))) {
            Files.writeString(request, damaged);
            refused(damage(request, "is not JSON"));
        }
        Files.write(request, new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'});
        refused(damage(request, "is not JSON"));
        Files.delete(request);
        refused(damage(request, "is missing"));
        Files.write(request, whole);
        assertResumes();
    }

    /** As left by a kill before the first part. */
    @Test
    void runWithoutARequestIsResumedIfNothingWasFinished() throws IOException {
        try (Run run = open(false, false)) {
            run.folder.progress("request.json.partial-0");
        }
        Files.writeString(partial.resolve(".headscope-progress/request.json.partial-0"), "{\"mod");
        try (Run run = open(true, false)) {
            run.requireSameInput();
        }
        assertTrue(Files.exists(partial.resolve(".headscope-progress/request.json")));
    }

    @Test
    void fullDiskKeepsWhatIsFinished() throws IOException {
        interrupt();
        try (Run run = open(true, false)) {
            String message = assertThrows(RunFolderException.class, () -> run.onDisk(fullDisk())).getMessage();
            assertEquals("No space left on device; what the run has finished is kept: make room (df -h, df -i), then --resume", message);
        }
        assertResumes();
    }

    @Test
    void fullDiskAtTheFirstPartCanBeResumedToo() {
        try (Run run = open(false, false)) {
            run.requireSameInput();
            assertThrows(RunFolderException.class, () -> run.once("part", FLOATS, fullDisk()));
        }
        try (Run run = open(true, false)) {
            run.requireSameInput();
            assertArrayEquals(new float[] {7}, run.once("part", FLOATS, () -> new float[] {7}));
        }
        assertResumes();
    }

    @Test
    void anotherFailureKeepsWhatIsFinishedAndNothingElse() {
        Path readOnly = Path.of("/proc/version/x");
        RunFolderException failure = new RunFolderException(readOnly, new IOException("Input/output error"));
        try (Run run = open(false, false)) {
            run.requireSameInput();
            assertEquals(readOnly + ": input/output error", failure(run, failure));
            assertFalse(Files.exists(partial));
        }
        try (Run run = open(false, false)) {
            run.requireSameInput();
            run.once("part", FLOATS, () -> new float[] {7});
            assertEquals(readOnly + ": input/output error; what the run has finished is kept: mend this, then --resume",
                    failure(run, failure));
        }
        assertResumes();
    }

    @Test
    void filesThatAreNotRegularAreRefused() throws IOException {
        Files.delete(model.resolve("tokenizer_config.json"));
        Files.createSymbolicLink(model.resolve("tokenizer_config.json"), Path.of("/dev/zero"));
        assertEquals(model.resolve("tokenizer_config.json") + ": is not a regular file but a pipe, a socket or a device",
                assertThrows(ModelFormatException.class, () -> open(false, false)).getMessage());
        assertFalse(Files.exists(partial));
    }

    /** Between the reads for computing and for the digests; at the same size, too. */
    @Test
    void filesThatChangeWhileTheModelIsReadAreNamed() throws IOException {
        for (String name : List.of("model.safetensors", "tokenizer.json", "generation_config.json")) {
            Path file = model.resolve(name);
            Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
            refusedBecauseOf(file, () -> {
                try (RandomAccessFile inPlace = new RandomAccessFile(file.toFile(), "rw")) {
                    inPlace.seek(inPlace.length() - 1);
                    int last = inPlace.read();
                    inPlace.seek(inPlace.length() - 1);
                    inPlace.write(name.endsWith(".json") ? last : ~last);
                }
            });
        }
        Path config = model.resolve("config.json");
        Path copy = Files.copy(config, folder.resolve("copy"));
        Files.setLastModifiedTime(copy, Files.getLastModifiedTime(config));
        refusedBecauseOf(config, () -> Files.move(copy, config, StandardCopyOption.REPLACE_EXISTING));
        Path template = model.resolve("chat_template.jinja");
        refusedBecauseOf(template, () -> Files.writeString(template, "{{ prompt }}"));
        refusedBecauseOf(template, () -> Files.delete(template));
        open(false, false).close();
    }

    /** The digests are read while the first text is computed, and joined before anything of it is stored. */
    @Test
    void filesThatChangeDuringTheFirstTextAreNamed() {
        for (String name : List.of("model.safetensors", "tokenizer.json")) {
            Path file = model.resolve(name);
            try (Run run = open(false, false)) {
                run.requireSameInput();
                String message = assertThrows(ModelFormatException.class, () -> run.once("part", FLOATS, () -> {
                    touch(file);
                    return new float[] {7};
                })).getMessage();
                assertEquals(file + ": changed while the model was being read; repeat the command once nothing writes to it", message);
            }
            assertFalse(Files.exists(partial));
        }
        interrupt();
        touch(model.resolve("model.safetensors"));
        assertResumes();
    }

    private static void touch(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(Files.getLastModifiedTime(file).toInstant().minusSeconds(60)));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    private interface Change {
        void apply() throws IOException;
    }

    private void refusedBecauseOf(Path file, Change change) {
        String message = assertThrows(ModelFormatException.class, () -> open(false, false, () -> {
            try {
                change.apply();
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        })).getMessage();
        assertEquals(file + ": changed while the model was being read; repeat the command once nothing writes to it", message);
        assertFalse(Files.exists(partial));
    }

    private static String failure(Run run, RunFolderException failure) {
        return assertThrows(RunFolderException.class, () -> run.onDisk(() -> {
            throw failure;
        })).getMessage();
    }

    /** Fails as a full disk does. */
    private static Supplier<float[]> fullDisk() {
        return () -> {
            try {
                Files.writeString(Path.of("/dev/full"), "x");
                return new float[0];
            } catch (IOException failure) {
                throw new UncheckedIOException(failure.getMessage(), failure);
            }
        };
    }

    /** Finishes one part and returns the manifest. */
    private ObjectNode interrupt() {
        try (Run run = open(false, false)) {
            run.requireSameInput();
            run.once("part", FLOATS, () -> new float[] {7});
            return run.manifest("test");
        }
    }

    private void assertResumes() {
        try (Run run = open(true, false)) {
            run.requireSameInput();
            assertArrayEquals(new float[] {7}, run.once("part", FLOATS, () -> new float[] {8}));
        }
    }

    private void refused(String message) {
        try (Run run = open(true, false)) {
            assertEquals(message, assertThrows(InputException.class, run::requireSameInput).getMessage());
        }
        assertTrue(Files.exists(partial.resolve(".headscope-progress/part.safetensors")));
    }

    private String differs(String names) {
        return "%s: was started with another model, other texts or other settings (%s); repeat the first command, or start over with --overwrite"
                .formatted(out, names);
    }

    private static String damage(Path request, String damage) {
        return "%s: %s, so that --resume cannot tell which model and texts the interrupted run had; restore the file, or start over with --overwrite"
                .formatted(request, damage);
    }

    private static final ProgressFile<Long> NUMBER = new ProgressFile<>(
            number -> new ProgressFile.Contents(Map.of(), Map.of(), Map.of("number", new long[] {number})),
            stored -> stored.get("number").longs()[0]);

    /** The values of all texts, in their order; the batches that are computed, and the numbers of finished texts. */
    private record Computed(List<Long> values, List<String> batches, List<Integer> finished) {
        static Computed of(Run run) {
            List<String> batches = new ArrayList<>();
            List<Integer> finished = new ArrayList<>();
            run.requireSameInput();
            List<Long> values = run.inBatches(List.of(new int[] {2, 0}, new int[] {1, 3}), "%06d"::formatted, NUMBER, batch -> {
                batches.add(Arrays.toString(batch));
                return Arrays.stream(batch).mapToObj(text -> 10L * text).toList();
            }, value -> value + 1, finished::add);
            return new Computed(values, batches, finished);
        }
    }

    /** A batch of which a value is missing is computed as a whole: on a GPU its digits may depend on the batch. */
    @Test
    void batchesAreResumedAsAWhole() throws IOException {
        try (Run run = open(false, false)) {
            assertEquals(new Computed(List.of(1L, 11L, 21L, 31L), List.of("[2, 0]", "[1, 3]"), List.of(2, 4)), Computed.of(run));
        }
        Files.delete(partial.resolve(".headscope-progress/000003.safetensors"));
        try (Run run = open(true, false)) {
            assertEquals(new Computed(List.of(1L, 11L, 21L, 31L), List.of("[1, 3]"), List.of(2, 4)), Computed.of(run));
        }
    }

    /** While the model is being digested, the first batch is kept in memory; it is stored before the next one, at the end, or if that fails. */
    @ParameterizedTest
    @CsvSource({"1, false", "2, false", "1, true", "2, true"})
    void firstBatchDoesNotWaitForTheDigest(int batches, boolean fails) {
        CountDownLatch digest = new CountDownLatch(1);
        try (Run run = openDigesting(digest)) {
            Supplier<List<Long>> work = () -> run.inBatches(
                    List.of(new int[] {0}, new int[] {1}, new int[] {2}).subList(0, fails ? batches + 1 : batches), "%06d"::formatted, NUMBER,
                    batch -> {
                        if (batch[0] == batches) {
                            throw new OutOfMemoryError();
                        }
                        return List.of(10L * batch[0]);
                    }, value -> value, finished -> {
                        assertEquals(finished > 1, Files.exists(stored(0)));
                        digest.countDown();
                    });
            if (fails) {
                assertThrows(OutOfMemoryError.class, work::get);
            } else {
                assertEquals(batches, work.get().size());
            }
        }
        assertTrue(Files.exists(stored(0)));
        assertEquals(batches > 1, Files.exists(stored(1)));
    }

    @Test
    void fullDiskWhenTheFirstBatchIsStoredLate() throws IOException {
        CountDownLatch digest = new CountDownLatch(1);
        ProgressFile<Long> full = new ProgressFile<>(number -> {
            throw new UncheckedIOException(new IOException("No space left on device"));
        }, stored -> 0L);
        try (Run run = openDigesting(digest)) {
            String message = assertThrows(RunFolderException.class, () -> run.inBatches(
                    List.of(new int[] {0}), "%06d"::formatted, full, batch -> List.of(7L), value -> value,
                    finished -> digest.countDown())).getMessage();
            assertEquals(message.indexOf("--resume"), message.lastIndexOf("--resume"), message);
        }
    }

    private Path stored(int text) {
        return partial.resolve(".headscope-progress/%06d.safetensors".formatted(text));
    }

    private Run openDigesting(CountDownLatch digest) {
        return new Run(new RunRequest(model, out, DeviceChoice.of("cpu"), false, false, "test"), new ObjectMapper().createObjectNode(),
                (config, tokenizer) -> {}, files -> {
                    try {
                        digest.await();
                    } catch (InterruptedException interrupted) {
                        throw new AssertionError(interrupted);
                    }
                    return Digest.of(files);
                });
    }

    private Run open(boolean resume, boolean overwrite) {
        return open(resume, overwrite, () -> {});
    }

    /** @param meanwhile runs after the configuration and the tokenizer are read, and before the weights are */
    private Run open(boolean resume, boolean overwrite, Runnable meanwhile) {
        ObjectNode input = new ObjectMapper().createObjectNode();
        input.put("seed", 1).put("rate", 0.1f);
        return new Run(new RunRequest(model, out, DeviceChoice.of("cpu"), resume, overwrite, "test"), input,
                (config, tokenizer) -> meanwhile.run());
    }
}
