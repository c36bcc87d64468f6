package headscope.analysis.watch;

import static headscope.analysis.InputException.require;

import headscope.analysis.InputException;
import headscope.analysis.statistics.RandomStreams;
import headscope.model.Generator;
import headscope.model.Transformer;
import headscope.model.text.TextException;
import headscope.model.text.Tokenizer;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Watches every head while a model reads prompts and generates: gives a frame for each token and carries out the
 * commands of viewers. All work is done by the thread that calls {@link #run}.
 */
public final class Watch {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Transformer model;
    private final Tokenizer tokenizer;
    private final WatchRequest request;
    private final FrameSource source;
    private final Consumer<Frame> frames;
    private final BlockingQueue<Command> commands;
    private final UnaryOperator<String> written;

    private int texts;
    private long due; // when the next token may come, in System.nanoTime
    private int layer;
    private int head;
    private boolean paused;
    private boolean ended;
    private boolean stopped;
    private volatile boolean abandoned;
    private Optional<int[]> restart = Optional.empty();

    /**
     * @param name     of the model, for people
     * @param frames   receives every frame and must not block
     * @param commands of all viewers
     */
    public Watch(
            Transformer model, Tokenizer tokenizer, WatchRequest request, String name, Consumer<Frame> frames,
            BlockingQueue<Command> commands) {
        this(model, tokenizer, request, name, frames, commands, UnaryOperator.identity());
    }

    /** @param written the text that the model reads for a prompt, such as that of a chat */
    public Watch(
            Transformer model, Tokenizer tokenizer, WatchRequest request, String name, Consumer<Frame> frames,
            BlockingQueue<Command> commands, UnaryOperator<String> written) {
        this.written = written;
        this.model = model;
        this.tokenizer = tokenizer;
        this.request = request;
        this.frames = frames;
        this.commands = commands;
        this.source = source(model, request, name);
    }

    /** What all frames of such a watch have in common. */
    public static FrameSource source(Transformer model, WatchRequest request, String name) {
        return request.source(name, model.backend(), model.config().layers(), model.config().heads(),
                model.config().causal(), request.maxNewTokens(), model.config().maxTokens());
    }

    public FrameSource source() {
        return source;
    }

    /**
     * The tokens of a prompt.
     *
     * @throws InputException if there are none, or more than the model takes
     */
    public int[] tokens(String prompt) {
        require(!prompt.isEmpty(), "the prompt is empty: write a text that the model continues");
        int[] ids;
        try {
            ids = tokenizer.encodePrompt(written.apply(prompt));
        } catch (TextException rejected) {
            throw new InputException("the prompt cannot be read: " + rejected.getMessage());
        }
        require(ids.length > 0, "the prompt has no tokens: write a text that the model continues");
        int limit = model.config().maxTokens();
        require(ids.length <= limit,
                "the prompt has %d tokens and the model takes at most %d: shorten it".formatted(ids.length, limit));
        return ids;
    }

    /**
     * Watches one text, and further ones as viewers restart it. If a text that has begun fails, the last frame tells viewers why.
     *
     * @param untilStopped whether to wait for commands when a text has ended; otherwise returns
     * @throws InputException as {@link #tokens}, or if the model overflows
     */
    public void run(String prompt, boolean untilStopped) throws InterruptedException {
        restart = Optional.of(tokens(prompt));
        while (restart.isPresent() && !stopped) {
            int[] next = restart.get();
            restart = Optional.empty();
            ended = false;
            watch(next, untilStopped);
        }
    }

    /**
     * Ends the run after the layer that the model is in, so that nobody waits for a long prompt. A run that waits for
     * commands ends by {@link Command.Stop} alone. May be called by any thread.
     */
    public void abandon() {
        abandoned = true;
    }

    private void watch(int[] ids, boolean untilStopped) throws InterruptedException {
        int room = model.config().causal() ? model.config().maxTokens() - ids.length : 0;
        int newTokens = Math.min(request.maxNewTokens(), room);
        int number = texts++;
        try (ModelText text = new ModelText(model, tokenizer, request.atlas(), ids.length + newTokens)) {
            WatchedText watched = new WatchedText(text, request, number, frames, () -> abandoned);
            try {
                read(text, watched, ids, newTokens, number);
                while (untilStopped && restart.isEmpty() && !stopped) {
                    carryOut(commands.take(), watched);
                }
            } catch (WatchedText.Abandoned stop) {
                stopped = true;
            } catch (RuntimeException | Error problem) {
                watched.fail(String.valueOf(problem.getMessage()).lines().findFirst().orElse(""));
                throw problem;
            }
        }
    }

    private void read(ModelText text, WatchedText watched, int[] ids, int newTokens, int number) {
        watched.pick(layer, head);
        due = System.nanoTime();
        int[] last = newTokens == 0 ? ids : generate(text, watched, ids, newTokens, number);
        if (restart.isEmpty() && !stopped) {
            // The generator does not read its last token; here every token that is shown has its row.
            watched.passed();
            begin(text, watched, last);
            model.forward(text.sequence(), last, watched);
            watched.passed();
            watched.announce(State.ENDED);
        }
    }

    private static void begin(ModelText text, WatchedText watched, int... tokens) {
        text.append(tokens);
        watched.begin();
    }

    /** @return the last new token, which has not been read */
    private int[] generate(ModelText text, WatchedText watched, int[] prompt, int newTokens, int number) {
        begin(text, watched, prompt);
        int[] generated = new Generator(model, request.sampler(), newTokens)
                .generate(text.sequence(), prompt, RandomStreams.of(request.seed(), number), watched, tokens -> {
                    watched.passed();
                    boolean over = obey(watched);
                    if (!over) {
                        begin(text, watched, tokens[tokens.length - 1]);
                    }
                    return over;
                });
        return new int[] {generated[generated.length - 1]};
    }

    /**
     * Carries out the commands that have come, and waits for more while paused or until the next token is due.
     *
     * @return whether the text ends here
     */
    private boolean obey(WatchedText text) {
        due = Math.max(due + (long) (NANOS_PER_SECOND / request.rate()), System.nanoTime());
        try {
            Command command;
            do {
                if (paused) {
                    text.announce(State.PAUSED);
                }
                command = paused ? commands.take()
                        : commands.poll(due - System.nanoTime(), TimeUnit.NANOSECONDS);
                if (command != null) {
                    carryOut(command, text);
                }
            } while (command != null && !(command instanceof Command.Step) && !over());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            stopped = true;
        }
        return over();
    }

    private boolean over() {
        return ended || stopped || restart.isPresent();
    }

    private void carryOut(Command command, WatchedText text) {
        switch (command) {
            case Command.Pause _ -> paused = true;
            case Command.Resume _ -> paused = false;
            case Command.Step _ -> paused = true;
            case Command.Stop _ -> stopped = true;
            case Command.End _ -> ended = true;
            case Command.Restart(String prompt) -> restart(prompt, text);
            case Command.Pick(int chosenLayer, int chosenHead) -> {
                if (source.has(chosenLayer, chosenHead)) {
                    layer = chosenLayer;
                    head = chosenHead;
                    text.pick(layer, head);
                }
            }
            case Command.Move _, Command.Speed _ ->
                    text.say("a model that runs has neither an earlier position nor another speed; recordings have");
        }
    }

    private void restart(String prompt, WatchedText text) {
        try {
            restart = Optional.of(tokens(prompt));
            paused = false;
        } catch (InputException refused) {
            text.say(refused.getMessage());
        }
    }
}
