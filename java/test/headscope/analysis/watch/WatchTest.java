package headscope.analysis.watch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.analysis.InputException;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.backend.TensorScope;
import headscope.live.LiveText;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sampler;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Frames add up to what a pass over the whole text gives. */
final class WatchTest {
    private static final Path MODEL = Path.of("models/demo");
    private static final String PROMPT = "the capital of boria is birch . the capital of cania is cedar . the capital of boria is";

    private static final Metric SCORE = new Metric.AttentionScore();

    private static Backend backend;
    private static Transformer model;
    private static Tokenizer tokenizer;

    private final LinkedBlockingQueue<Command> commands = new LinkedBlockingQueue<>();

    @BeforeAll
    static void open() {
        backend = Backend.open("cpu");
        try (Checkpoint checkpoint = Checkpoint.open(MODEL)) {
            tokenizer = Tokenizer.open(MODEL, checkpoint.config());
            model = new Transformer(checkpoint, backend);
        }
    }

    @AfterAll
    static void close() {
        model.close();
        tokenizer.close();
        backend.close();
    }

    private List<Frame> watch(int cells, int newTokens, boolean untilStopped) throws InterruptedException {
        return watch(cells, newTokens, PROMPT, untilStopped);
    }

    private List<Frame> watch(int cells, int newTokens, String prompt, boolean untilStopped)
            throws InterruptedException {
        List<Frame> frames = new ArrayList<>();
        new Watch(model, tokenizer, request(cells, newTokens), "demo", frames::add, commands).run(prompt, untilStopped);
        return frames;
    }

    private static WatchRequest request(int cells, int newTokens) {
        return new WatchRequest(WatchRequest.METRICS, cells, Sampler.GREEDY, newTokens, 0);
    }

    static Stream<Arguments> devicesAndCells() {
        return Devices.ALL.stream().flatMap(device -> Stream.of(8, 64).map(cells -> Arguments.of(device, cells)));
    }

    @ParameterizedTest
    @MethodSource("devicesAndCells")
    void framesAddUpToTheMapsAndMetricsOfTheWholeText(String device, int cells) throws InterruptedException {
        try (Backend other = Devices.open(device); Checkpoint checkpoint = Checkpoint.open(MODEL);
                Transformer watched = new Transformer(checkpoint, other)) {
            commands.add(new Command.Pick(3, 5));
            LiveText text = new LiveText(Watch.source(watched, request(cells, 8), "demo"));
            new Watch(watched, tokenizer, request(cells, 8), "demo", text::add, commands).run(PROMPT, false);
            assertEquals(State.ENDED, text.frame().orElseThrow().state());
            assertEquals(cells == 8 ? 4 : 1, text.frame().orElseThrow().bin());
            int[] ids = text.tokens().stream().mapToInt(token -> token.id()).toArray();
            assertEquals(ids.length, text.chosen().orElseThrow().eigenvalues().length);
            try (Sequence sequence = model.sequence(ids.length)) {
                model.forward(sequence, ids, new LayerHook() {
                    @Override
                    public void attention(int layer, Attention attention) {
                        assertShown(layer, attention, text, cells);
                    }
                });
            }
        }
    }

    /** Compares one layer of a text with what a pass over the whole text gives. */
    private static void assertShown(int layer, LayerHook.Attention attention, LiveText text, int cells) {
        int tokens = text.tokens().size();
        int heads = model.config().heads();
        double[][] scores = backend.measure(List.of(SCORE), attention.statistics(), attention.spec()).getFirst().of(SCORE);
        try (TensorScope scope = new TensorScope(backend)) {
            Tensor map = scope.allocate(DType.F32, tokens, tokens);
            for (int head = 0; head < heads; head++) {
                int index = layer * heads + head;
                String which = "layer %d, head %d".formatted(layer, head);
                assertEquals(scores[head][0], text.metric(SCORE.key()).orElseThrow()[index], 1e-4, which);
                backend.attentionMap(map, attention.query(), attention.key(), attention.spec(), head);
                float[] probs = backend.download(map);
                float[] shown = Arrays.copyOfRange(text.atlas(), index * cells * cells, (index + 1) * cells * cells);
                assertArrayEquals(pooled(probs, tokens, cells, text.frame().orElseThrow().bin()), shown, 1e-5f, which);
                if (layer == 3 && head == 5) {
                    assertArrayEquals(probs, text.map(), 1e-5f, which);
                }
            }
        }
    }

    private static float[] pooled(float[] probs, int tokens, int cells, int bin) {
        float[] pooled = new float[cells * cells];
        for (int i = 0; i < probs.length; i++) {
            int cell = i / tokens / bin * cells + i % tokens / bin;
            pooled[cell] = Math.max(pooled[cell], probs[i]);
        }
        return pooled;
    }

    @Test
    void commandsAreCarriedOutInOrder() throws InterruptedException {
        commands.addAll(List.of(
                new Command.Pause(), new Command.Step(), new Command.Step(), new Command.Pick(2, 1),
                new Command.Move(-3), new Command.Restart("the capital of elvia is"), new Command.Resume(), new Command.Stop()));
        List<Frame> frames = watch(64, 8, true);
        assertTrue(frames.stream().anyMatch(frame -> frame.state() == State.PAUSED));
        assertTrue(frames.stream().anyMatch(frame ->
                frame.chosen().filter(chosen -> chosen.layer() == 2 && chosen.head() == 1).isPresent()));
        assertTrue(frames.stream().anyMatch(frame -> frame.message().endsWith("recordings have")));
        assertEquals(1, frames.getLast().text());
        assertTrue(commands.isEmpty());
    }

    @Test
    void promptsThatTheModelCannotReadAreRefused() throws InterruptedException {
        assertThrows(InputException.class, () -> watch(64, 1, "", false));
        String tooLong = "the capital ".repeat(600);
        String problem = assertThrows(InputException.class, () -> watch(64, 1, tooLong, false)).getMessage();
        assertTrue(problem.contains("the model takes at most " + model.config().maxTokens()), problem);
        commands.addAll(List.of(new Command.Restart(tooLong), new Command.Stop()));
        Frame last = watch(64, 1, true).getLast();
        assertEquals(problem, last.message());
        assertEquals(0, last.text());
        assertEquals(State.ENDED, last.state());
    }

    @Test
    void aTextEndsWhenAViewerAsksAndAnotherOneFollows() throws InterruptedException {
        commands.addAll(List.of(new Command.End(), new Command.Restart("the capital of elvia is"), new Command.Stop()));
        List<Frame> frames = watch(64, 8, true);
        Frame end = frames.stream().filter(frame -> frame.state() == State.ENDED).findFirst().orElseThrow();
        assertEquals(tokenizer.encodePrompt(PROMPT).length + 1, end.end());
        assertEquals(1, frames.getLast().text());
    }

    /** As of a chat, whose template makes a text of the prompt. */
    @Test
    void promptsAreReadAsTheyAreWritten() {
        Watch watch = new Watch(model, tokenizer, request(64, 1), "demo", frame -> {}, commands, prompt -> prompt + " . " + prompt);
        assertArrayEquals(tokenizer.encodePrompt(PROMPT + " . " + PROMPT), watch.tokens(PROMPT));
    }

    @Test
    void aRunIsAbandonedBetweenLayers() throws InterruptedException {
        List<Frame> frames = new ArrayList<>();
        Watch watch = new Watch(model, tokenizer, request(64, 1), "demo", frames::add, commands);
        watch.abandon();
        watch.run(PROMPT, true);
        assertEquals(List.of(), frames);
    }

    @Test
    void theLastFrameTellsWhyARunFailed() {
        List<Frame> frames = new ArrayList<>();
        Watch watch = new Watch(model, tokenizer, request(64, 8), "demo", frames::add, new LinkedBlockingQueue<>() {
            private static final long serialVersionUID = 1;

            @Override
            public Command poll(long timeout, TimeUnit unit) {
                throw new IllegalStateException("no more memory\nat all");
            }
        });
        assertThrows(IllegalStateException.class, () -> watch.run(PROMPT, false));
        assertEquals(State.FAILED, frames.getLast().state());
        assertEquals("no more memory", frames.getLast().message());
        LiveText text = new LiveText(watch.source());
        frames.forEach(text::add);
        assertEquals(tokenizer.encodePrompt(PROMPT).length, text.tokens().size());
    }
}
