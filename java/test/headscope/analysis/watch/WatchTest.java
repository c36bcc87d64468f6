package headscope.analysis.watch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.analysis.InputException;
import headscope.backend.Backend;
import headscope.live.LiveText;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sampler;
import headscope.model.Sequence;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Frames add up to what a pass over the whole text gives. */
final class WatchTest {
    private static final Path MODEL = Path.of("models/demo");
    private static final String PROMPT = "the capital of boria is birch . the capital of cania is cedar . the capital of boria is";

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
        WatchRequest request = new WatchRequest(
                WatchRequest.METRICS, cells, Sampler.GREEDY, newTokens, 0);
        new Watch(model, tokenizer, request, "demo", frames::add, commands).run(prompt, untilStopped);
        return frames;
    }

    private static LiveText read(List<Frame> frames, int cells) {
        LiveText text = new LiveText(new Watch(model, tokenizer, new WatchRequest(
                WatchRequest.METRICS, cells, Sampler.GREEDY, 1, 0), "demo", _ -> {}, new LinkedBlockingQueue<>()).source());
        frames.forEach(text::add);
        return text;
    }

    @Test
    void framesAddUpToTheMapsAndMetricsOfTheWholeText() throws InterruptedException {
        commands.add(new Command.Pick(3, 5));
        for (int cells : new int[] {8, 64}) {
            LiveText text = read(watch(cells, 24, false), cells);
            int[] ids = text.tokens().stream().mapToInt(token -> token.id()).toArray();
            assertEquals(State.ENDED, text.frame().orElseThrow().state());
            int bin = text.frame().orElseThrow().bin();
            assertEquals(cells == 8 ? 8 : 1, bin);
            int layers = model.config().layers();
            int heads = model.config().heads();
            try (Sequence sequence = model.sequence(ids.length)) {
                model.forward(sequence, ids, new LayerHook() {
                    @Override
                    public void attention(int layer, Attention attention) {
                        double[][] score = backend.measure(
                                List.of(new Metric.AttentionScore()), attention.statistics(), attention.spec())
                                .of(new Metric.AttentionScore());
                        var map = backend.allocate(headscope.tensor.DType.F32, ids.length, ids.length);
                        for (int head = 0; head < heads; head++) {
                            assertEquals(score[head][0],
                                    text.metric("attention_score").orElseThrow()[layer * heads + head], 1e-4);
                            backend.attentionMap(map, attention.query(), attention.key(), attention.spec(), head);
                            float[] probs = backend.download(map);
                            float[] pooled = new float[cells * cells];
                            for (int i = 0; i < probs.length; i++) {
                                int cell = i / ids.length / bin * cells + i % ids.length / bin;
                                pooled[cell] = Math.max(pooled[cell], probs[i]);
                            }
                            float[] shown = new float[cells * cells];
                            System.arraycopy(text.atlas(), (layer * heads + head) * cells * cells, shown, 0, cells * cells);
                            assertArrayEquals(pooled, shown, 1e-5f, "layer %d, head %d".formatted(layer, head));
                            boolean chosen = layer == text.chosen().orElseThrow().layer()
                                    && head == text.chosen().orElseThrow().head();
                            if (chosen) {
                                assertArrayEquals(probs, text.map(), 1e-5f);
                            }
                        }
                        map.buffer().close();
                    }
                });
            }
            assertEquals(ids.length, text.chosen().orElseThrow().eigenvalues().length);
            assertTrue(layers > 3);
        }
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

    @Test
    void aRunIsAbandonedBetweenLayers() throws InterruptedException {
        List<Frame> frames = new ArrayList<>();
        Watch watch = new Watch(model, tokenizer, new WatchRequest(
                WatchRequest.METRICS, 64, Sampler.GREEDY, 1, 0), "demo", frames::add, commands);
        watch.abandon();
        watch.run(PROMPT, true);
        assertEquals(List.of(), frames);
    }

    @Test
    void theLastFrameTellsWhyARunFailed() {
        List<Frame> frames = new ArrayList<>();
        Watch watch = new Watch(model, tokenizer, new WatchRequest(
                WatchRequest.METRICS, 64, Sampler.GREEDY, 8, 0), "demo", frames::add, new LinkedBlockingQueue<>() {
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
