package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.result.frame.FrameFileReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Streams as files: frames, films and recordings, which give the same frames and films when they are played. */
final class RecordingCommandTest {
    @TempDir
    Path folder;

    private String path(String name) {
        return folder.resolve(name).toString();
    }

    private static ChildJvm.Result headscope(String... arguments) {
        return CommandLineTest.headscope(List.of(arguments));
    }

    private List<String> left() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aRecordingIsPlayedAsItWasSeen() throws IOException {
        ChildJvm.Result live = headscope("live", "--demo", "--max-new-tokens", "7", "--headless", "--size", "700x450",
                "--frames", path("live"), "--film", path("live.png"), "--every", "3", "--record", path("recording"));
        assertEquals(0, live.status(), live.err());
        assertEquals("Frames: %s (4 images)%nFilm: %s (4 images, 10 per second)%nRecording: %s%n".formatted(
                path("live"), path("live.png"), path("recording")), live.out());
        assertEquals(List.of("live", "live.png", "recording"), left());
        ChildJvm.Result played = headscope("view", path("recording"), "--headless", "--size", "700x450",
                "--frames", path("played"), "--film", path("played.png"), "--every", "3");
        assertEquals(0, played.status(), played.err());
        assertArrayEquals(Files.readAllBytes(folder.resolve("live.png")), Files.readAllBytes(folder.resolve("played.png")));
        for (int i = 0; i < 4; i++) {
            Path seen = folder.resolve("live/frame-%06d.png".formatted(i));
            assertEquals(700, ImageIO.read(seen.toFile()).getWidth());
            assertArrayEquals(Files.readAllBytes(seen), Files.readAllBytes(folder.resolve("played/" + seen.getFileName())));
        }
        for (String option : List.of(
                "--temperature=1", "--seed=1", "--metrics=entropy", "--max-new-tokens=3", "--cells=8", "--rate=2", "--device=cpu")) {
            ChildJvm.Result refused = headscope("live", "--replay", path("recording"), "--headless", "--film", path("none.png"), option);
            assertEquals(2, refused.status(), refused.toString());
            assertEquals("headscope: --replay plays a recording as it is; %s has no effect on it: leave it out\n"
                    .formatted(option.replaceAll("=.*", "")), refused.err());
        }
        Files.write(folder.resolve("damaged"), damaged(Files.readAllBytes(folder.resolve("recording"))));
        ChildJvm.Result refused = headscope("live", "--replay", path("damaged"), "--headless", "--film", path("none.png"));
        assertEquals(2, refused.status());
        assertTrue(refused.err().matches("headscope: \\S+/damaged: is damaged at byte \\d+: .*\n"), refused.err());
        assertTrue(left().stream().noneMatch(name -> name.contains("none")));
    }

    /** Files of at most 300 KiB are allowed. */
    @Test
    void theModelGoesOnWhenTheDiskIsFull() throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder("bash", "-c", "ulimit -f 300; exec \"$@\"", "bash", java,
                "--enable-native-access=ALL-UNNAMED", "--add-modules", "jdk.incubator.vector", "-XX:-UsePerfData",
                "-Djava.library.path=" + System.getProperty("java.library.path"), "-cp", System.getProperty("java.class.path"),
                "headscope.Main", "live", "--demo", "--device", "cpu", "--max-new-tokens", "8", "--headless", "--record",
                path("full")).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), printed);
        assertTrue(printed.contains(
                "full: cannot be written: file too large; the recording ends here, the model goes on\n"), printed);
        assertTrue(printed.contains("watching: 9 of 9\n"), printed);
        try (FrameFileReader reader = FrameFileReader.open(folder.resolve("full"))) {
            assertTrue(reader.next().isPresent());
        }
    }

    /** The second frame's length. */
    private static byte[] damaged(byte[] recording) {
        ByteBuffer bytes = ByteBuffer.wrap(recording);
        int source = 12 + 12 + bytes.getInt(12);
        int second = source + 12 + bytes.getInt(source);
        recording[second + 3] ^= 1;
        return recording;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            live --demo --headless                              | --headless shows nothing
            live --demo --frames x                              | --frames and --film need --headless
            live --demo --headless --film x.gif                 | x.gif: a film ends in .png (animated PNG) or .mp4
            live --demo --headless --film none/x.png            | none/x.png: cannot be written: there is no such folder
            live --demo --headless --frames java                | java: is not an empty folder
            live --demo --headless --record pom.xml             | pom.xml: already exists
            live --demo --headless --frames x --every 0         | --every must be at least 1
            live --demo --headless --film x.png --fps 0         | --fps must be from 1 to 60
            live --demo --headless --film x.png --serve 0       | --serve and --headless exclude each other
            live --demo --device cpu --headless --record x --chat | ./models/demo: has no chat template
            live --demo --device cpu --headless --record x --prompt-file pom.xml | the prompt has
            live --demo --headless --record x --speed 3         | --speed has an effect only with --replay FILE: leave it out
            live --demo --headless --record x --from 7          | --from has an effect only with --replay FILE: leave it out
            live --attach x --from 0                            | --from has an effect only with --replay FILE: leave it out
            live --demo --headless --record x --max-tokens 3    | --max-tokens has an effect only with --attach NAME: leave it out
            live --attach x --max-new-tokens 5                  | --attach shows a model of another process; --max-new-tokens has no effect on it
            live --attach x --temperature 1                     | --attach shows a model of another process; --temperature has no effect on it
            live --demo --serve 0 --fps 5                       | --every and --fps need --headless
            view java --html x.html --speed 2                   | --speed has no effect on a finished run: leave it out
            view java --html x.html --size 700x450              | --size is that of a window, which --html, --out and --serve do not open: leave it out
            view java --out x.png --fps 5                       | --fps has no effect on a finished run: leave it out
            view java --theme dark                              | --theme has no effect on a finished run: leave it out
            live --demo --replay x                              | --replay plays a recording without a model
            live --replay x --headless --film x.png             | x: no such file
            live --replay pom.xml --headless --film x.png       | pom.xml: is not a recording of live --record
            live --replay pom.xml --speed 0                     | --speed must be above 0
            live --replay pom.xml --from -1                     | --from must be at least 0
            view pom.xml                                        | pom.xml: is not a recording of live --record
            view pom.xml --html x.html                          | --html and --out show a finished run
            live --demo --serve 80x                             | --serve must be PORT or HOST:PORT
            live --demo --serve no-such-host.invalid:0          | --serve: the host no-such-host.invalid is not known
            live --demo --serve 203.0.113.1:0                   | --serve: port 0 of 203.0.113.1 cannot be opened
            live --attach x --model y                           | --attach shows a model of another process
            live --attach no-such-ring --serve 0                | /dev/shm/headscope-no-such-ring.ring: does not exist
            live --attach x/y --serve 0                         | a ring's name has up to 64 letters
            view java --headless                                | --headless and --record show a recording
            view java                                           | java: contains no manifest.json
            view java --html x.html                             | java: contains no manifest.json
            view x --html x.html                                | x: no such folder
            """)
    void invalidInputIsRefusedAndLeavesNothing(String command, String message) {
        ChildJvm.Result result = headscope(command.split(" +"));
        assertEquals(2, result.status(), result.toString());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().startsWith("headscope: " + message), result.err());
        for (String name : List.of("x", "x.png", "x.gif", "x.html")) {
            assertTrue(Files.notExists(Path.of(name)), name);
        }
    }
}
