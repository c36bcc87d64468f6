package headscope.result.frame;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.result.ResultFormatException;
import headscope.result.frame.Frame.State;
import headscope.result.frame.Frame.Token;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A recording gives back every frame, and what is damaged is refused. */
final class FrameFileTest {
    @TempDir
    Path folder;

    private final List<Frame> frames = new ArrayList<>(new RandomFrames(Seed.random("recording")).stream());

    private Path recorded() {
        Path file = folder.resolve("recording");
        try (FrameFileWriter writer = FrameFileWriter.create(file, RandomFrames.SOURCE)) {
            for (int i = 0; i < frames.size(); i++) {
                writer.write(new RecordedFrame(1000L * i, frames.get(i)));
            }
        }
        return file;
    }

    private static List<RecordedFrame> read(Path file) {
        List<RecordedFrame> read = new ArrayList<>();
        try (FrameFileReader reader = FrameFileReader.open(file)) {
            for (Optional<RecordedFrame> next = reader.next(); next.isPresent(); next = reader.next()) {
                read.add(next.get());
            }
        }
        return read;
    }

    /** Equal bytes are equal frames: the coding holds every field. */
    private static void assertSame(Frame expected, Frame actual) {
        assertArrayEquals(
                FrameCoding.encode(new RecordedFrame(0, expected)), FrameCoding.encode(new RecordedFrame(0, actual)));
    }

    @Test
    void everyFieldComesBack() {
        Frame odd = new Frame(7, State.FAILED, "no \"memory\"\n\u2014 \ud83d\ude42", 3, 0,
                List.of(new Token(Integer.MAX_VALUE, "\u2423b\\n"), new Token(0, "")), 1,
                Map.of("entropy", new float[] {Float.NaN, -0f, Float.MIN_VALUE, Float.POSITIVE_INFINITY, 1, 2}), 4,
                List.of(new AtlasBlock(1, 3, 1, new float[12])),
                Optional.of(new ChosenHead(1, 2, 4, 1, 2, new float[] {.25f, .75f}, new float[] {1, 0}, 2)),
                Double.NaN, Long.MAX_VALUE, 5);
        RecordedFrame back = FrameCoding.decode(FrameCoding.encode(new RecordedFrame(-1, odd)));
        assertEquals(-1, back.nanos());
        Frame frame = back.frame();
        assertEquals(odd.text(), frame.text());
        assertEquals(odd.state(), frame.state());
        assertEquals(odd.message(), frame.message());
        assertEquals(odd.step(), frame.step());
        assertEquals(odd.firstToken(), frame.firstToken());
        assertEquals(odd.tokens(), frame.tokens());
        assertEquals(odd.layersRead(), frame.layersRead());
        assertEquals(odd.metrics().keySet(), frame.metrics().keySet());
        assertArrayEquals(odd.metrics().get("entropy"), frame.metrics().get("entropy"));
        assertEquals(odd.bin(), frame.bin());
        assertEquals(1, frame.atlas().size());
        assertEquals(odd.atlas().getFirst().layer(), frame.atlas().getFirst().layer());
        assertEquals(odd.atlas().getFirst().firstRow(), frame.atlas().getFirst().firstRow());
        assertEquals(odd.atlas().getFirst().rows(), frame.atlas().getFirst().rows());
        assertArrayEquals(odd.atlas().getFirst().values(), frame.atlas().getFirst().values());
        ChosenHead expected = odd.chosen().orElseThrow();
        ChosenHead chosen = frame.chosen().orElseThrow();
        assertEquals(
                List.of(expected.layer(), expected.head(), expected.bin(), expected.firstRow(), expected.columns(), expected.tokens()),
                List.of(chosen.layer(), chosen.head(), chosen.bin(), chosen.firstRow(), chosen.columns(), chosen.tokens()));
        assertArrayEquals(expected.values(), chosen.values());
        assertArrayEquals(expected.eigenvalues(), chosen.eigenvalues());
        assertEquals(odd.tokensPerSecond(), frame.tokensPerSecond());
        assertEquals(odd.memoryBytes(), frame.memoryBytes());
        assertEquals(odd.dropped(), frame.dropped());
    }

    @Test
    void aRecordingGivesItsSourceAndEveryFrame() {
        Path file = recorded();
        try (FrameFileReader reader = FrameFileReader.open(file)) {
            assertEquals(RandomFrames.SOURCE.asRecorded(), reader.source());
        }
        List<RecordedFrame> read = read(file);
        assertEquals(frames.size(), read.size());
        for (int i = 0; i < frames.size(); i++) {
            assertEquals(1000L * i, read.get(i).nanos());
            assertSame(frames.get(i), read.get(i).frame());
        }
    }

    /** Whatever the length, the whole frames before it are read, the rest is ignored, and nothing is made up. */
    @Test
    void aFileThatIsCutGivesTheFramesBeforeTheCut() throws IOException {
        frames.subList(4, frames.size()).clear();
        byte[] bytes = Files.readAllBytes(recorded());
        List<Long> ends = new ArrayList<>();
        try (FrameFileReader reader = FrameFileReader.open(folder.resolve("recording"))) {
            ends.add(reader.position());
            while (reader.next().isPresent()) {
                ends.add(reader.position());
            }
        }
        Path cut = folder.resolve("cut");
        for (int length = 0; length <= bytes.length; length++) {
            Files.write(cut, Arrays.copyOf(bytes, length));
            if (length < ends.getFirst()) {
                String message = assertThrows(ResultFormatException.class, () -> FrameFileReader.open(cut)).getMessage();
                assertTrue(message.startsWith(cut + ": is "), message);
            } else {
                int end = length;
                assertEquals(ends.stream().filter(at -> at <= end).count() - 1, read(cut).size(), "length " + length);
                try (FrameFileReader reader = FrameFileReader.open(cut)) {
                    while (reader.next().isPresent()) {
                        // to the end
                    }
                    assertEquals(!ends.contains((long) length), reader.isCut(), "length " + length);
                }
            }
        }
    }

    @Test
    void everyFlippedBitIsRefusedWithTheFileAndTheOffset() throws IOException {
        frames.subList(2, frames.size()).clear();
        byte[] bytes = Files.readAllBytes(recorded());
        Path damaged = folder.resolve("damaged");
        for (int at = 0; at < bytes.length; at++) {
            byte[] flipped = bytes.clone();
            flipped[at] ^= (byte) (1 << at % 8);
            Files.write(damaged, flipped);
            String message = assertThrows(ResultFormatException.class, () -> read(damaged), "byte " + at).getMessage();
            assertTrue(message.startsWith(damaged + ": is "), message);
            assertEquals(at >= FrameFile.START, message.contains(" is damaged at byte "), message);
        }
    }

    @Test
    void anUnknownVersionIsRefusedByName() throws IOException {
        byte[] bytes = Files.readAllBytes(recorded());
        bytes[FrameFile.START - 1] = 9;
        Path newer = Files.write(folder.resolve("newer"), bytes);
        assertEquals(newer + ": is a recording of version 9; this program reads version 1",
                assertThrows(ResultFormatException.class, () -> FrameFileReader.open(newer)).getMessage());
    }

    /** Right checksums do not make another recording's frame fit. */
    @Test
    void aFrameOfAnotherSourceIsRefused() throws IOException {
        FrameSource smaller = new FrameSource("smaller", "none", 1, 1, true, List.of(), 2, "maximum", 0);
        Path file = folder.resolve("mixed");
        try (FrameFileWriter writer = FrameFileWriter.create(file, smaller)) {
            writer.write(new RecordedFrame(0, frames.getFirst()));
        }
        String message = assertThrows(ResultFormatException.class, () -> read(file)).getMessage();
        assertTrue(message.endsWith("the record is not a frame of this recording"), message);
    }

    @Test
    void aFileIsReadWhileItIsWritten() {
        Path file = folder.resolve("growing");
        try (FrameFileWriter writer = FrameFileWriter.create(file, RandomFrames.SOURCE);
                FrameFileReader reader = FrameFileReader.open(file)) {
            for (Frame frame : frames) {
                assertEquals(Optional.empty(), reader.next());
                assertFalse(reader.isCut());
                writer.write(new RecordedFrame(0, frame));
                assertSame(frame, reader.next().orElseThrow().frame());
            }
        }
    }

    @Test
    void anExistingFileIsNotOverwritten() throws IOException {
        Path file = Files.writeString(folder.resolve("notes"), "mine");
        String message = assertThrows(UncheckedIOException.class, () -> FrameFileWriter.create(file, RandomFrames.SOURCE))
                .getMessage();
        assertEquals(file + ": already exists; name another file for the recording", message);
        assertEquals("mine", Files.readString(file));
        assertThrows(ResultFormatException.class, () -> FrameFileReader.open(file));
        assertThrows(ResultFormatException.class, () -> FrameFileReader.open(folder));
        assertThrows(ResultFormatException.class, () -> FrameFileReader.open(folder.resolve("absent")));
    }

    @Test
    void theRecordingOfAKilledProcessIsReadable() throws Exception {
        Path file = folder.resolve("killed");
        Process writing = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), EndlessRecording.class.getName(), file.toString())
                .redirectErrorStream(true).redirectOutput(folder.resolve("out.txt").toFile()).start();
        while (writing.isAlive() && (!Files.exists(file) || Files.size(file) < 100_000)) {
            Thread.sleep(1);
        }
        writing.destroyForcibly().waitFor(); // SIGKILL
        assertTrue(read(file).size() > 50, () -> "frames: " + read(file).size());
    }

    /** A file system of 256 KiB in a user namespace; without namespaces, a limit on the size of files. */
    @Test
    void aFullDiskEndsTheRecordingAndKeepsIt() throws Exception {
        Path kept = folder.resolve("kept");
        String java = "'%s' -cp '%s' %s ".formatted(Path.of(System.getProperty("java.home"), "bin", "java"),
                System.getProperty("java.class.path"), EndlessRecording.class.getName());
        Path mount = Files.createDirectory(folder.resolve("small"));
        Process shell = new ProcessBuilder("bash", "-c", ("if unshare -rm mount -t tmpfs none '%1$s' 2>/dev/null; then"
                + " unshare -rm bash -c \"mount -t tmpfs -o size=256k none '%1$s'; %2$s '%1$s/recording'; cp '%1$s/recording' '%3$s'\";"
                + " else ulimit -f 256; %2$s '%3$s'; fi").formatted(mount, java, kept))
                .redirectErrorStream(true).start();
        String printed = new String(shell.getInputStream().readAllBytes());
        shell.waitFor();
        assertTrue(printed.contains("cannot be written: no space left on device") || printed.contains("file too large"),
                printed);
        List<RecordedFrame> read = read(kept);
        assertTrue(read.size() > 50, () -> "frames: " + read.size());
        try (FrameFileReader reader = FrameFileReader.open(kept)) {
            while (reader.next().isPresent()) {
                // to the end
            }
            assertFalse(reader.isCut());
        }
    }
}
