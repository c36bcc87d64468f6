package headscope.analysis.watch;

import headscope.analysis.statistics.RandomStreams;
import headscope.model.Generator;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;

/**
 * Watches every head while a model reads prompts and generates: gives a frame for each token and carries out the
 * commands of viewers. All work is done by the thread that calls {@link #run}.
 */
public final class Watch {
    private final Transformer model;
    private final Tokenizer tokenizer;
    private final WatchRequest request;
    private final FrameSource source;
    private final Consumer<Frame> frames;
    private final BlockingQueue<Command> commands;

    private int texts;
    private int layer;
    private int head;
    private boolean paused;
    private boolean stopped;
    private Optional<String> restart = Optional.empty();

    /**
     * @param name     of the model, for people
     * @param frames   receives every frame and must not block
     * @param commands of all viewers
     */
    public Watch(
            Transformer model, Tokenizer tokenizer, WatchRequest request, String name, Consumer<Frame> frames,
            BlockingQueue<Command> commands) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.request = request;
        this.frames = frames;
        this.commands = commands;
        this.source = source(model, request, name);
    }

    /** What all frames of such a watch have in common. */
    public static FrameSource source(Transformer model, WatchRequest request, String name) {
        return new FrameSource(
                name, model.backend().describe(), model.config().layers(), model.config().heads(),
                model.config().causal(),
                request.metrics().stream().map(metric -> new MeasuredMetric(metric.key(), metric.unit())).toList(),
                request.cells(), "maximum", request.maxNewTokens());
    }

    public FrameSource source() {
        return source;
    }

    /**
     * Watches one text, and further ones as viewers restart it.
     *
     * @param untilStopped whether to wait for commands when a text has ended; otherwise returns
     */
    public void run(String prompt, boolean untilStopped) throws InterruptedException {
        restart = Optional.of(prompt);
        while (restart.isPresent() && !stopped) {
            String next = restart.get();
            restart = Optional.empty();
            watch(next, untilStopped);
        }
    }

    private void watch(String prompt, boolean untilStopped) throws InterruptedException {
        int[] ids = tokenizer.encodePrompt(prompt);
        int room = model.config().causal() ? model.config().maxTokens() - ids.length : 0;
        int newTokens = Math.min(request.maxNewTokens(), room);
        int number = texts++;
        try (WatchedText text = new WatchedText(model, tokenizer, request, number, ids.length + newTokens, frames)) {
            text.pick(layer, head);
            text.append(ids);
            if (newTokens > 0) {
                new Generator(model, request.sampler(), newTokens)
                        .generate(text.sequence(), ids, RandomStreams.of(request.seed(), number), text, tokens -> {
                            text.append(new int[] {tokens[tokens.length - 1]});
                            return obey(text);
                        });
            }
            boolean ended = restart.isEmpty() && !stopped;
            if (ended) {
                text.finish();
            }
            while (ended && untilStopped && restart.isEmpty() && !stopped) {
                carryOut(commands.take(), text);
            }
        }
    }

    /** Carries out the commands that have come, and waits for more while paused. @return whether the text ends here */
    private boolean obey(WatchedText text) {
        try {
            Command command;
            do {
                if (paused) {
                    text.announce(State.PAUSED, "");
                }
                command = paused ? commands.take() : commands.poll();
                if (command != null) {
                    carryOut(command, text);
                }
            } while (command != null && !(command instanceof Command.Step) && restart.isEmpty() && !stopped);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            stopped = true;
        }
        return stopped || restart.isPresent();
    }

    private void carryOut(Command command, WatchedText text) {
        switch (command) {
            case Command.Pause _ -> paused = true;
            case Command.Resume _ -> paused = false;
            case Command.Step _ -> paused = true;
            case Command.Stop _ -> stopped = true;
            case Command.Restart(String prompt) -> restart = Optional.of(prompt);
            case Command.Pick(int chosenLayer, int chosenHead) -> {
                layer = chosenLayer;
                head = chosenHead;
                text.pick(layer, head);
            }
            case Command.Seek _, Command.Speed _ ->
                    text.tell("a model that runs has neither an earlier position nor another speed; recordings have");
        }
    }
}
