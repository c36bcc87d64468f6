package headscope.live.ring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.analysis.watch.TappedText;
import headscope.backend.Backend;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.Generator;
import headscope.model.LayerHook;
import headscope.model.Sampler;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.result.tapped.CapturedText;
import headscope.result.tapped.Tapped;
import headscope.result.tapped.TappedAttention;
import headscope.result.tapped.TappedTokens;
import headscope.tensor.DType;
import headscope.tensor.Safetensors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A PyTorch process with clients/python/headscope_tap.py, and our own model with the same weights. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PyTorchTapTest {
    private static final List<Metric> METRICS = List.of(
            new Metric.AttentionScore(), new Metric.Entropy(), new Metric.SinkShare(), new Metric.MeanDistance(),
            new Metric.PreviousToken(), new Metric.Confidence(), new Metric.LaplacianEigenvalues(Metric.ALL));

    @TempDir
    private Path folder;

    private final List<Feed> started = new ArrayList<>();

    @AfterEach
    void endProcesses() {
        started.forEach(Feed::close);
    }

    private Feed feed(String name, String mode) throws IOException {
        Feed feed = new Feed(folder, name, mode, Map.of());
        started.add(feed);
        return feed;
    }

    private static String name(String test) {
        return "test-%d-%s".formatted(ProcessHandle.current().pid(), test);
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        while (!condition.getAsBoolean()) {
            Thread.sleep(2);
        }
    }

    private static List<Tapped> all(RingReader reader) {
        List<Tapped> messages = new ArrayList<>();
        for (Optional<Tapped> message = reader.poll(); message.isPresent(); message = reader.poll()) {
            messages.add(message.get());
        }
        return messages;
    }

    private static void append(TappedText text, List<Tapped> messages) {
        for (Tapped message : messages) {
            if (message instanceof TappedAttention attention) {
                text.append(attention, LayerHook.NONE);
            }
        }
    }

    /** Our own engine's tokens and metrics of the fixture's prompt and {@link #Feed.NEW_TOKENS} greedy ones. */
    private static void compare(Backend backend, TappedText text, String tokens, List<Tapped> messages) {
        try (Checkpoint checkpoint = Checkpoint.open(Feed.FIXTURE); Transformer model = new Transformer(checkpoint, backend);
                Safetensors expected = Safetensors.open(Feed.FIXTURE.resolve("expected.safetensors"));
                Sequence sequence = model.sequence(64)) {
            int[] prompt = Arrays.stream(expected.get("input_ids").longs()).mapToInt(Math::toIntExact).toArray();
            int[] generated = new Generator(model, Sampler.GREEDY, Feed.NEW_TOKENS)
                    .generate(sequence, prompt, new Random(1), LayerHook.NONE, all -> false);
            assertEquals("same" + join(generated), tokens, "logits with and without the tap, and the tokens");
            assertEquals(join(prompt) + join(Arrays.copyOf(generated, Feed.NEW_TOKENS - 1)), join(messages.stream()
                    .filter(TappedTokens.class::isInstance).map(TappedTokens.class::cast)
                    .flatMapToInt(named -> Arrays.stream(named.ids())).toArray()));
            assertEquals("A" + prompt[1], messages.stream().filter(TappedTokens.class::isInstance)
                    .map(TappedTokens.class::cast).findFirst().orElseThrow().names().get(1));
            assertEquals(sequence.tokens(), text.tokens());
            for (int layer = 0; layer < model.config().layers(); layer++) {
                LayerResult own = backend.measure(METRICS, sequence.statistics(layer), model.attentionSpec(layer)).getFirst();
                LayerResult tapped = backend.measure(METRICS, text.statistics(layer), text.attentionSpec(layer)).getFirst();
                for (Metric metric : METRICS) {
                    for (int head = 0; head < model.config().heads(); head++) {
                        double[] one = own.of(metric)[head];
                        assertArrayEquals(one, tapped.of(metric)[head], tolerance(one),
                                "%s of layer %d, head %d".formatted(metric.key(), layer, head));
                    }
                }
            }
        }
    }

    private static String join(int[] ids) {
        StringBuilder joined = new StringBuilder();
        Arrays.stream(ids).forEach(id -> joined.append(' ').append(id));
        return joined.toString();
    }

    private static double tolerance(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return Tolerance.fp32(floats);
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "background", "late", "batch"})
    void statisticsEqualThoseOfOurOwnModel(String mode) throws IOException, InterruptedException {
        Feed feed = feed(name(mode), mode);
        assertEquals("open", feed.line());
        try (RingReader reader = RingReader.open(name(mode)); RingReader second = RingReader.open(name(mode));
                Backend backend = Backend.open("cpu");
                TappedText text = new TappedText(backend, reader.layers(), 64, Optional.empty())) {
            assertTrue(reader.hasProducer());
            feed.next();
            List<Tapped> messages = new ArrayList<>();
            await(() -> {
                messages.addAll(all(reader));
                return messages.size() >= Feed.NEW_TOKENS * (1 + reader.layers());
            });
            String tokens = feed.line();
            append(text, messages);
            assertEquals(Optional.empty(), text.ignored());
            compare(backend, text, tokens, messages);
            assertEquals(0, reader.refused().values().stream().mapToLong(Long::longValue).sum());
            assertTrue(all(second).size() >= 2, "a second reader");
            assertEquals(1 + reader.layers() + 2 * (Feed.NEW_TOKENS - 1), published(RingReader.path(name(mode))),
                    "messages: the prompt's tokens and layers; of each next token its id, and all layers together");
            assertEquals("skipped 0 restored", feed.end());
            assertFalse(reader.hasProducer());
            assertFalse(Files.exists(RingReader.path(name(mode))), "a tap that ends deletes its ring");
        }
    }

    /** Number of messages. */
    private static long published(Path ring) throws IOException {
        try (FileChannel file = FileChannel.open(ring)) {
            ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            file.read(word, RingFormat.PUBLISHED);
            return word.getLong(0);
        }
    }

    @Test
    void capturedTextsCanBeRead() throws IOException, InterruptedException {
        Feed feed = feed(name("capture"), "capture");
        assertEquals("open", feed.line());
        try (RingReader reader = RingReader.open(name("capture")); Backend backend = Backend.open("cpu");
                TappedText text = new TappedText(backend, reader.layers(), 64, Optional.empty())) {
            feed.next();
            String tokens = feed.line();
            feed.end();
            CapturedText captured = CapturedText.read(folder.resolve(name("capture") + ".safetensors"));
            assertEquals(Optional.of("yes"), captured.label());
            captured.layers().forEach(layer -> text.append(layer, LayerHook.NONE));
            compare(backend, text, tokens, all(reader));
        }
    }

    /** A module that observes its layers itself: the ring and a captured file give the same statistics. */
    @Test
    void modulesMayObserveThemselves() throws IOException, InterruptedException {
        Feed feed = feed(name("observe"), "observe");
        feed.line();
        try (RingReader reader = RingReader.open(name("observe")); Backend backend = Backend.open("cpu");
                TappedText live = new TappedText(backend, 2, 8, Optional.empty());
                TappedText file = new TappedText(backend, 2, 8, Optional.empty())) {
            feed.next();
            assertEquals("saved", feed.line());
            List<Tapped> messages = all(reader);
            assertEquals(List.of(0, 0, 5, 5, 6, 6), messages.stream().map(Tapped::first).toList());
            append(live, messages);
            CapturedText.read(folder.resolve(name("observe") + ".safetensors")).layers()
                    .forEach(layer -> file.append(layer, LayerHook.NONE));
            assertEquals("end", feed.end());

            TappedAttention last = (TappedAttention) messages.getLast();
            assertEquals(List.of(4, 2, 8, 0.25f, true, 3, 5f, DType.BF16), List.of(last.heads(), last.kvHeads(), last.headDim(),
                    last.scale(), last.causal(), last.window(), last.softCap(), last.dtype()));
            assertArrayEquals(new float[] {-1, 0, 1, 2}, last.sinks());
            assertEquals(List.of(7, 7), List.of(live.tokens(), file.tokens()));
            for (int layer = 0; layer < 2; layer++) {
                LayerResult one = backend.measure(METRICS, live.statistics(layer), live.attentionSpec(layer)).getFirst();
                LayerResult other = backend.measure(METRICS, file.statistics(layer), file.attentionSpec(layer)).getFirst();
                for (Metric metric : METRICS) {
                    for (int head = 0; head < 4; head++) {
                        assertArrayEquals(other.of(metric)[head], one.of(metric)[head], Tolerance.PROBABILITY, metric.key());
                    }
                }
            }
        }
    }

    /** Tokens that wait for each other give the messages of tokens that do not, as soon as the model pauses. */
    @Test
    void tokensHandedOverTogetherEqualThoseHandedOverAtOnce() throws IOException, InterruptedException {
        Feed feed = feed(name("together"), "together");
        List<String> lines = new ArrayList<>();
        for (String line = feed.line(); !line.equals("end"); line = feed.line()) {
            lines.add(line);
        }
        feed.await();
        assertEquals("", feed.err());
        assertEquals("pause: handed over", lines.removeLast());
        List<String> stops = lines.stream().filter(line -> line.contains("headscope_tap")).toList();
        lines.removeAll(stops);
        assertEquals(2 * 18, lines.size());
        lines.forEach(line -> assertTrue(line.matches("\\w+: equal, .*"), line));
        assertTrue(lines.contains("ends_within: equal, at most 16 together"), lines.toString());
        assertTrue(lines.contains("same_ids: equal, at most 1 together"), lines.toString());
        assertTrue(lines.contains("with_gradients: equal, at most 1 together"), lines.toString());
        assertTrue(lines.contains("rolling: equal, at most 5 together"), lines.toString());
        assertEquals(Stream.of(
                        keys("cache_drops", 12, 15), keys("no_window", 7, 8), keys("no_window_after_padding", 7, 8),
                        keys("no_window_after_the_prompt", 7, 10), keys("smaller_than_the_window", 8, 9),
                        keys("several_at_once_without_keys", 10, 13),
                        stop("window_of_one_keeps_all", "caches of layers with a window of 1 token are not supported"),
                        stop("window_in_both_directions",
                                "attention in both directions with a window of 9 tokens is not supported"))
                .flatMap(line -> Stream.of(line, line)).sorted().toList(), stops.stream().sorted().toList());
    }

    private static String stop(String scenario, String why) {
        return scenario + ": equal, headscope_tap: " + why + "; the model continues without being shown";
    }

    private static String keys(String scenario, int keys, int tokens) {
        return stop(scenario, ("a layer is given %d keys of a text of %d tokens, and has no window of that size: caches that drop"
                + " keys, by a sliding_window or attention_chunk_size that the model ignores, are not supported")
                        .formatted(keys, tokens));
    }

    /** Of a token whose pass was interrupted, the layers before are handed over; the next text begins anew. */
    @Test
    void textsBeginAnewAfterAnInterruptedPass() throws IOException, InterruptedException {
        Feed feed = feed(name("interrupted"), "interrupted");
        assertEquals("open", feed.line());
        try (RingReader reader = RingReader.open(name("interrupted")); Backend backend = Backend.open("cpu");
                TappedText text = new TappedText(backend, reader.layers(), 64, Optional.empty())) {
            feed.next();
            String tokens = feed.line();
            List<Tapped> messages = all(reader);
            int layers = reader.layers();
            assertEquals(5 * layers - 1, messages.stream().filter(TappedAttention.class::isInstance)
                    .filter(message -> message.text() == 1).count());
            messages.removeIf(message -> message.text() == 1);
            append(text, messages);
            compare(backend, text, tokens, messages);
            feed.end();
        }
    }

    /** Of two threads that read texts in turn, the text that began last is handed over, and no other's rows with it. */
    @Test
    void textsOfThreadsAreNotMixed() throws IOException, InterruptedException {
        Feed feed = feed(name("threads"), "threads");
        feed.line();
        try (RingReader reader = RingReader.open(name("threads"))) {
            feed.next();
            assertEquals("saved", feed.line());
            assertEquals(
                    List.of("1.0: 0-5", "1.1: 0-5", "1.0: 5-6", "1.1: 5-6", "2.0: 0-3", "2.1: 0-3", "2.0: 3-4", "2.1: 3-4",
                            "3.0: 0-2", "3.1: 0-2"),
                    all(reader).stream().map(TappedAttention.class::cast).map(rows -> "%d.%d: %d-%d".formatted(
                            rows.text(), rows.layer(), rows.first(), rows.end())).toList());
            feed.end();
        }
    }

    @Test
    void anErrorInTheTapDoesNotReachTheModel() throws IOException, InterruptedException {
        Feed feed = feed(name("failing"), "failing");
        assertEquals("open", feed.line());
        feed.next();
        assertTrue(feed.line().startsWith("same "));
        assertEquals("skipped 0 restored", feed.end());
        assertEquals("headscope_tap: ZeroDivisionError: division by zero; the model continues without being shown\n", feed.err());
        assertFalse(Files.exists(RingReader.path(name("failing"))));
    }

    @Test
    void aKilledProducerIsNoticedAndARestartedOneIsFollowed() throws IOException, InterruptedException {
        String name = name("killed");
        Feed feed = feed(name, "endless");
        feed.line();
        feed.next();
        try (RingReader reader = RingReader.open(name)) {
            await(() -> reader.poll().isPresent());
            assertTrue(reader.hasProducer());
            feed.kill();
            await(() -> !reader.hasProducer());
            all(reader);
            assertTrue(Files.exists(RingReader.path(name)));
            long generation = reader.generation();

            Feed restarted = feed(name, "plain");
            assertEquals("open", restarted.line());
            restarted.next();
            await(() -> reader.poll().isPresent());
            assertNotEquals(generation, reader.generation());
            assertEquals(1, reader.restarts());
            assertTrue(reader.hasProducer());
            restarted.line();
            restarted.end();
        }
    }

    @Test
    void aSecondProducerIsRefusedAndItsModelContinues() throws IOException, InterruptedException {
        String name = name("second");
        Feed first = feed(name, "plain");
        assertEquals("open", first.line());
        Feed second = feed(name, "plain");
        assertEquals("closed", second.line());
        second.next();
        assertTrue(second.line().startsWith("same "));
        second.end();
        assertEquals(
                "headscope_tap: %s: the name is in use by process %d; end it, or choose another name; the model continues without being shown\n"
                        .formatted(RingReader.path(name), first.pid()),
                second.err());
        try (RingReader reader = RingReader.open(name)) {
            assertTrue(reader.hasProducer(), "the first one is not disturbed");
        }
        first.next();
        first.line();
        first.end();
    }

    @Test
    void aFullSharedMemoryIsReportedAndTheModelContinues() throws IOException, InterruptedException {
        Feed feed = feed(name("full"), "huge");
        assertEquals("closed", feed.line());
        feed.next();
        assertTrue(feed.line().startsWith("same "));
        feed.end();
        assertEquals(
                "headscope_tap: /dev/shm: no room for a ring of 1073741825 MiB (No space left on device); free some, or"
                        + " choose a smaller ring: tap(..., megabytes=N); the model continues without being shown\n",
                feed.err());
        assertFalse(Files.exists(RingReader.path(name("full"))));
    }

    @Test
    void passesThatDoNotFitIntoTheBuffersAreSkippedAndCounted() throws IOException, InterruptedException {
        Feed feed = feed(name("skips"), "full");
        assertEquals("open", feed.line());
        try (RingReader reader = RingReader.open(name("skips"))) {
            await(() -> reader.poll().isPresent());
            feed.next();
            assertTrue(feed.line().startsWith("same "));
            await(() -> reader.skipped() > 0);
            feed.next();
            await(() -> {
                all(reader);
                return !reader.hasProducer();
            });
            assertTrue(feed.line().matches("skipped [1-9][0-9]* restored"));
            feed.await();
        }
    }

    /** A reader that sleeps while the model runs loses messages, counts them, and reads what is left. */
    @Test
    void aSlowReaderDoesNotStopTheModel() throws IOException, InterruptedException {
        Feed feed = feed(name("slow"), "small");
        assertEquals("open", feed.line());
        try (RingReader reader = RingReader.open(name("slow"))) {
            feed.next();
            assertTrue(feed.line().startsWith("same "));
            assertFalse(all(reader).isEmpty());
            assertTrue(reader.refused().get(Refusal.OVERWRITTEN) > 0);
            feed.end();
        }
    }
}
