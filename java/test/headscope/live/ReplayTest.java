package headscope.live;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.result.ResultFormatException;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameFileReader;
import headscope.result.frame.FrameFileWriter;
import headscope.result.frame.RandomFrames;
import headscope.result.frame.RecordedFrame;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A recorded stream that is played adds up to the same text. */
final class ReplayTest {
    private static final double AT_ONCE = Double.POSITIVE_INFINITY;

    @TempDir
    Path folder;

    /** Two texts. */
    private final List<Frame> stream = new RandomFrames(Seed.random("replay")).stream();
    private final List<Frame> first = stream.stream().filter(frame -> frame.text() == 0).toList();
    private final LinkedBlockingQueue<Command> commands = new LinkedBlockingQueue<>();
    private final List<Frame> played = new ArrayList<>();

    private Path recording(List<Frame> frames) {
        Path file = folder.resolve("recording");
        try (Recorder recorder = Recorder.open(file, RandomFrames.SOURCE, failure -> { throw new AssertionError(failure); })) {
            frames.forEach(recorder);
        }
        return file;
    }

    private LiveText play(Path file, double speed, int from, boolean untilStopped) throws InterruptedException {
        try (Replay replay = new Replay(file, speed, played::add, commands)) {
            assertEquals(RandomFrames.SOURCE.asRecorded(), replay.source());
            replay.run(from, untilStopped);
        }
        return text(played);
    }

    private static LiveText text(List<Frame> frames) {
        LiveText text = new LiveText(RandomFrames.SOURCE);
        frames.forEach(text::add);
        return text;
    }

    private static void assertSame(LiveText expected, LiveText actual) {
        assertEquals(expected.tokens(), actual.tokens());
        assertArrayEquals(expected.atlas(), actual.atlas());
        assertArrayEquals(expected.map(), actual.map());
        assertArrayEquals(expected.metric("entropy").orElseThrow(), actual.metric("entropy").orElseThrow());
        assertEquals(expected.chosen().orElseThrow().head(), actual.chosen().orElseThrow().head());
    }

    @Test
    void theShareThatHasBeenPlayedGrowsToAll() throws InterruptedException {
        List<Double> shares = new ArrayList<>();
        AtomicReference<Replay> playing = new AtomicReference<>();
        try (Replay replay = new Replay(recording(stream), AT_ONCE, _ -> shares.add(playing.get().played()), commands)) {
            playing.set(replay);
            replay.run(0, false);
        }
        assertEquals(shares.stream().sorted().toList(), shares);
        assertTrue(shares.getFirst() > 0 && shares.getFirst() < 1, shares.toString());
        assertEquals(1, shares.getLast());
    }

    @Test
    void aReplayAddsUpToTheRecordedText() throws InterruptedException {
        for (double speed : new double[] {1, AT_ONCE}) {
            played.clear();
            assertSame(text(stream), play(speed == 1 ? recording(stream) : folder.resolve("recording"), speed, 0, false));
            assertEquals(State.ENDED, played.getLast().state());
            assertEquals("the recording ends here", played.getLast().message());
            assertEquals(stream.size() + 1, played.size());
        }
    }

    /** A disk that is slower than the model joins frames; no token, no cell is lost. */
    @Test
    void framesThatWaitForTheDiskAreJoined() throws InterruptedException {
        Path file = folder.resolve("busy");
        long joined;
        try (Recorder recorder = Recorder.open(file, RandomFrames.SOURCE, _ -> {})) {
            for (int i = 0; i < 2000; i++) {
                stream.forEach(recorder); // 40,000 frames faster than they can be written
            }
            joined = recorder.joined();
        }
        assertTrue(joined > 0);
        assertSame(text(stream), play(file, AT_ONCE, 0, false));
    }

    @Test
    void aTextIsShownFromAToken() throws InterruptedException {
        for (int from = 1; from <= first.getLast().end() + 3; from++) {
            played.clear();
            play(recording(stream), AT_ONCE, from, false);
            int end = Math.min(Math.max(from, first.getFirst().end()), first.getLast().end());
            assertEquals(end, played.getFirst().end());
            assertSame(text(first.stream().filter(frame -> frame.end() <= end).toList()), text(played.subList(0, 1)));
            assertSame(text(stream), text(played));
            assertTrue(folder.resolve("recording").toFile().delete());
        }
    }

    @Test
    void commandsAreCarriedOutInOrder() throws InterruptedException {
        commands.addAll(List.of(
                new Command.Pause(), new Command.Step(), new Command.Step(), new Command.Pick(0, 2),
                new Command.Restart("another prompt"), new Command.Move(3), new Command.Speed(1000), new Command.Move(-2),
                new Command.Step(), new Command.Stop()));
        play(recording(stream), 1, 0, true);
        assertTrue(commands.isEmpty());
        List<String> messages = played.stream().map(Frame::message).filter(message -> !message.isEmpty()).distinct().toList();
        assertEquals(List.of("the map of layer 0, head 2 was not recorded; shown is layer 1, head 0",
                "a recording has no model that could read another prompt", "playing 1000.0 times as fast as recorded"), messages);
        assertTrue(played.stream().allMatch(frame -> frame.state() == State.PAUSED));
        assertEquals(List.of(3, 4, 7, 5, 6), played.stream().map(Frame::end).distinct().toList());
        assertEquals(2, played.getLast().text(), "every change of position begins a new text for viewers");
        assertSame(text(first.stream().filter(frame -> frame.end() <= 6).toList()), text(played));
    }

    /** A viewer that comes to a position, from wherever, knows all metrics before it. */
    @Test
    void theMetricsBeforeAPositionAreKnown() throws InterruptedException {
        commands.addAll(List.of(new Command.Pause(), new Command.Move(5), new Command.Move(-3), new Command.Step(),
                new Command.Move(Integer.MAX_VALUE), new Command.Move(Integer.MIN_VALUE), new Command.Move(4), new Command.Stop()));
        play(recording(stream), 1, 2, true);
        List<Integer> ends = new ArrayList<>();
        LiveText seen = new LiveText(RandomFrames.SOURCE);
        for (Frame frame : played) {
            seen.add(frame);
            ends.add(frame.end());
            LiveText whole = text(first.stream().filter(known -> known.end() <= frame.end()).toList());
            for (int head = 0; head < RandomFrames.LAYERS * RandomFrames.HEADS; head++) {
                assertArrayEquals(whole.history().curve("entropy", head).tokens(), seen.history().curve("entropy", head).tokens());
                assertArrayEquals(whole.history().curve("entropy", head).values(), seen.history().curve("entropy", head).values());
            }
        }
        assertEquals(List.of(3, 8, 5, 6, first.getLast().end(), 3, 7), withoutRepeats(ends));
    }

    private static List<Integer> withoutRepeats(List<Integer> values) {
        List<Integer> changes = new ArrayList<>();
        for (int value : values) {
            if (changes.isEmpty() || changes.getLast() != value) {
                changes.add(value);
            }
        }
        return changes;
    }

    @Test
    void aCutRecordingIsPlayedToTheCut() throws IOException, InterruptedException {
        Path file = recording(first);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() - 3);
        }
        assertSame(text(first.subList(0, first.size() - 1)), play(file, AT_ONCE, 0, false));
        assertEquals("the recording ends within a frame, which is not shown", played.getLast().message());
    }

    @Test
    void theLastFrameTellsWhereARecordingIsDamaged() throws IOException {
        Path file = recording(first);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 3] ^= 1;
        Files.write(file, bytes);
        String message = assertThrows(ResultFormatException.class, () -> play(file, AT_ONCE, 0, true)).getMessage();
        assertTrue(message.contains(" is damaged at byte "), message);
        assertEquals(State.FAILED, played.getLast().state());
        assertEquals(message, played.getLast().message());
        assertSame(text(first.subList(0, first.size() - 1)), text(played));
    }

    /** A viewer that stays sees what is appended later. */
    @Test
    void aRecordingThatIsStillWrittenIsFollowed() throws InterruptedException {
        Path file = folder.resolve("growing");
        try (FrameFileWriter writer = FrameFileWriter.create(file, RandomFrames.SOURCE)) {
            writer.write(new RecordedFrame(0, stream.getFirst()));
            try (Replay replay = new Replay(file, AT_ONCE, frame -> {
                played.add(frame);
                if (frame.state() == State.ENDED) {
                    if (played.size() == 2) {
                        stream.subList(1, stream.size()).forEach(next -> writer.write(new RecordedFrame(1, next)));
                    } else {
                        commands.add(new Command.Stop());
                    }
                }
            }, commands)) {
                replay.run(0, true);
            }
        }
        assertSame(text(stream), text(played));
    }

    /** A recording may begin anywhere in a text. */
    @Test
    void aKeyFrameHoldsAllOfTheText() throws InterruptedException {
        for (int begun = 1; begun < first.size(); begun++) {
            List<Frame> rest = new ArrayList<>(List.of(KeyFrame.of(text(first.subList(0, begun)))));
            rest.addAll(first.subList(begun, first.size()));
            assertSame(text(first), text(rest));
        }
    }

    @Test
    void aRecordingWithoutFramesIsPlayedAsNothingAndDoesNotStay() throws InterruptedException {
        Path file = folder.resolve("recording");
        try (Recorder recorder = Recorder.open(file, RandomFrames.SOURCE, failure -> { throw new AssertionError(failure); })) {
            play(recorder.file(), AT_ONCE, 5, false);
            assertEquals(List.of(), played);
            try (FrameFileReader reader = FrameFileReader.open(file)) {
                assertEquals(Optional.empty(), reader.next());
            }
        }
        assertFalse(Files.exists(file));
    }
}
