package headscope.analysis.watch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.analysis.InputException;
import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.live.LiveText;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sampler;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.tapped.Tapped;
import headscope.result.tapped.TappedAttention;
import headscope.result.tapped.TappedTokens;
import headscope.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** What comes through a tap is shown as if the model ran here. */
final class AttachedWatchTest {
    private static final List<String> DEVICES = Devices.ALL;
    private static final Path MODEL = Path.of("models/demo");
    private static final String PROMPT = "the capital of boria is birch . the capital of boria is";
    private static final WatchRequest REQUEST = new WatchRequest(WatchRequest.METRICS, 8, Sampler.GREEDY, 8, 0);

    private final LinkedBlockingQueue<Command> commands = new LinkedBlockingQueue<>();

    /** Messages that lie ready, then the end of the process. */
    private record Messages(Deque<Tapped> left, int layers) implements Tap {
        @Override
        public Optional<Tapped> poll() {
            return Optional.ofNullable(left.poll());
        }

        @Override
        public int restarts() {
            return 0;
        }

        @Override
        public boolean hasProducer() {
            return !left.isEmpty();
        }

        @Override
        public Missing missing() {
            return Missing.NOTHING;
        }
    }

    /** A hook that hands over what the tap of another process would. */
    private record Feed(Backend backend, int text, Deque<Tapped> messages) implements LayerHook {
        @Override
        public void attention(int layer, Attention attention) {
            AttentionSpec spec = attention.spec();
            int count = attention.query().intSize(0);
            int end = attention.key().intSize(0);
            messages.add(new TappedAttention(
                    text, layer, end - count, count, end, spec.heads(), spec.kvHeads(), spec.headDim(), spec.scale(),
                    spec.causal(), spec.window(), spec.softCap(), new float[0], DType.F32,
                    MemorySegment.ofArray(backend.download(attention.query())),
                    MemorySegment.ofArray(backend.download(attention.key().rows(end - count, count))), 0));
        }
    }

    /** Feeds a text: its first tokens at once, the last ones one by one. */
    private static void feed(Transformer model, int text, int[] ids, int atOnce, List<String> names, Deque<Tapped> messages) {
        try (Sequence sequence = model.sequence(ids.length)) {
            for (int first = 0; first < ids.length; first = sequence.tokens()) {
                int end = first == 0 ? atOnce : first + 1;
                int[] pass = Arrays.copyOfRange(ids, first, end);
                messages.add(new TappedTokens(text, first, end, pass, names.subList(first, end)));
                model.forward(sequence, pass, new Feed(model.backend(), text, messages));
            }
        }
    }

    @ParameterizedTest
    @FieldSource("DEVICES")
    void framesEqualThoseOfAModelHere(String device) throws InterruptedException {
        try (Backend backend = Devices.open(device); Checkpoint checkpoint = Checkpoint.open(MODEL);
                Tokenizer tokenizer = Tokenizer.open(MODEL, checkpoint.config());
                Transformer model = new Transformer(checkpoint, backend)) {
            commands.add(new Command.Pick(3, 5));
            LiveText here = new LiveText(Watch.source(model, REQUEST, "demo"));
            new Watch(model, tokenizer, REQUEST, "demo", here::add, commands).run(PROMPT, false);
            int[] ids = here.tokens().stream().mapToInt(token -> token.id()).toArray();
            List<String> names = here.tokens().stream().map(token -> token.name()).toList();
            Deque<Tapped> messages = new ArrayDeque<>();
            feed(model, 1, ids, ids.length - 8, names, messages);
            Messages tap = new Messages(messages, model.config().layers());
            try (AttachedWatch watch = new AttachedWatch(backend, tap, REQUEST, 64)) {
                LiveText there = new LiveText(watch.await("demo"));
                commands.add(new Command.Pick(3, 5));
                watch.run(there::add, commands, false);
                assertEquals(here.tokens(), there.tokens());
                assertArrayEquals(here.atlas(), there.atlas(), 1e-5f);
                assertArrayEquals(here.map(), there.map(), 1e-5f);
                assertArrayEquals(
                        here.chosen().orElseThrow().eigenvalues(), there.chosen().orElseThrow().eigenvalues(), 1e-5f);
                WatchRequest.METRICS.forEach(metric -> assertArrayEquals(
                        here.metric(metric.key()).orElseThrow(), there.metric(metric.key()).orElseThrow(), 1e-4f));
            }
        }
    }

    @Test
    void everyTextOfTheProcessIsShown() throws InterruptedException {
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(MODEL);
                Transformer model = new Transformer(checkpoint, backend)) {
            Deque<Tapped> messages = new ArrayDeque<>();
            feed(model, 1, new int[] {1, 5, 6, 7}, 3, List.of("a", "b", "c", "d"), messages);
            feed(model, 2, new int[] {1, 8, 9}, 2, List.of("a", "e", "f"), messages);
            try (AttachedWatch watch = new AttachedWatch(
                    backend, new Messages(messages, model.config().layers()), REQUEST, 64)) {
                List<Frame> frames = new ArrayList<>();
                watch.await("demo");
                commands.add(new Command.Restart("the"));
                watch.run(frame -> {
                    frames.add(frame);
                    if (frame.text() == 1 && frame.end() == 3) {
                        commands.add(new Command.Stop());
                    }
                }, commands, true);
                assertEquals(List.of(0, 1), frames.stream().map(Frame::text).distinct().toList());
                assertTrue(frames.stream().anyMatch(frame -> frame.text() == 0 && frame.end() == 4));
            }
        }
    }

    /** Who attaches in the middle of a text sees why it is not shown, and then the next one. */
    @Test
    void aTextWhoseBeginningWasMissedIsAnnounced() throws InterruptedException {
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(MODEL);
                Transformer model = new Transformer(checkpoint, backend)) {
            Deque<Tapped> messages = new ArrayDeque<>();
            feed(model, 1, new int[] {1, 5, 6, 7}, 3, List.of("a", "b", "c", "d"), messages);
            messages.removeIf(message -> message.first() == 0);
            feed(model, 2, new int[] {1, 8, 9}, 2, List.of("a", "e", "f"), messages);
            try (AttachedWatch watch = new AttachedWatch(
                    backend, new Messages(messages, model.config().layers()), REQUEST, 64)) {
                LiveText shown = new LiveText(watch.await("demo"));
                List<Frame> frames = new ArrayList<>();
                watch.run(frame -> {
                    frames.add(frame);
                    shown.add(frame);
                }, commands, false);
                Frame first = frames.getFirst();
                assertEquals("waiting for the next text: the first 3 tokens of this one were missed", first.message());
                assertEquals(List.of(0, 0, 0), List.of(first.text(), first.end(), first.layersRead()));
                assertEquals(1, frames.stream().filter(frame -> frame.text() == 0).count(), "said once");
                assertEquals(3, shown.tokens().size());
            }
        }
    }

    /** The process was restarted with another model. */
    @Test
    void aModelOfAnotherShapeIsAnnounced() throws InterruptedException {
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(MODEL);
                Transformer model = new Transformer(checkpoint, backend)) {
            Deque<Tapped> messages = new ArrayDeque<>();
            feed(model, 1, new int[] {1, 5}, 2, List.of("a", "b"), messages);
            int layers = model.config().layers();
            TappedAttention last = (TappedAttention) messages.getLast();
            messages.add(new TappedAttention(
                    2, layers + 3, 0, last.count(), last.end(), last.heads(), last.kvHeads(), last.headDim(), last.scale(),
                    true, 0, 0, new float[0], DType.F32, last.query(), last.key(), 0));
            Tap restarted = new Tap() {
                @Override
                public Optional<Tapped> poll() {
                    return Optional.ofNullable(messages.poll());
                }

                @Override
                public int layers() {
                    return layers + 4 * restarts();
                }

                @Override
                public int restarts() {
                    return messages.isEmpty() ? 1 : 0;
                }

                @Override
                public boolean hasProducer() {
                    return !messages.isEmpty();
                }

                @Override
                public Missing missing() {
                    return Missing.NOTHING;
                }
            };
            try (AttachedWatch watch = new AttachedWatch(backend, restarted, REQUEST, 64)) {
                List<String> said = new ArrayList<>();
                watch.await("demo");
                watch.run(frame -> said.add(frame.message()), commands, false);
                assertTrue(said.contains("the feeding process now has a model with %d causal layers of %d heads: start this program again"
                        .formatted(layers + 4, last.heads())), said.toString());
            }
        }
    }

    @Test
    void viewersAreToldWhatHasNotArrived() throws InterruptedException {
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(MODEL);
                Transformer model = new Transformer(checkpoint, backend)) {
            Deque<Tapped> messages = new ArrayDeque<>();
            feed(model, 1, new int[] {1, 5}, 2, List.of("a", "b"), messages);
            Tap busy = new Tap() {
                @Override
                public Optional<Tapped> poll() {
                    return Optional.ofNullable(messages.poll());
                }

                @Override
                public int layers() {
                    return model.config().layers();
                }

                @Override
                public int restarts() {
                    return 0;
                }

                @Override
                public boolean hasProducer() {
                    return true;
                }

                @Override
                public Missing missing() {
                    return messages.isEmpty() ? new Missing(2, 5) : Missing.NOTHING;
                }
            };
            try (AttachedWatch watch = new AttachedWatch(backend, busy, REQUEST, 64)) {
                List<Tap.Missing> told = new ArrayList<>();
                watch.await("demo");
                watch.run(frame -> {
                    told.add(watch.missing());
                    if (!watch.missing().equals(Tap.Missing.NOTHING)) {
                        commands.add(new Command.Stop());
                    }
                }, commands, true);
                assertEquals(new Tap.Missing(2, 5), told.getLast());
                assertEquals(Tap.Missing.NOTHING, told.getFirst());
            }
        }
    }

    @Test
    void aProcessThatEndsBeforeItComputesIsAnError() {
        try (Backend backend = Backend.open("cpu");
                AttachedWatch watch = new AttachedWatch(backend, new Messages(new ArrayDeque<>(), 2), REQUEST, 64)) {
            String problem = assertThrows(InputException.class, () -> watch.await("demo")).getMessage();
            assertEquals("demo: the feeding process has ended; start it again", problem);
        }
    }
}
