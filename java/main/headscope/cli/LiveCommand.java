package headscope.cli;

import static headscope.analysis.InputException.require;

import headscope.analysis.Prompting;
import headscope.analysis.watch.CapturedWatch;
import headscope.analysis.watch.Watch;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.cli.terminal.GivenOptions;
import headscope.live.LiveRun;
import headscope.model.Checkpoint;
import headscope.model.GenerationKeys;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.tapped.CapturedText;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Shows every head while a model reads and generates. */
@picocli.CommandLine.Command(
        name = "live",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Shows every head while a model reads a prompt and continues it.",
            "A window shows the attention maps of all heads as they grow with each token, one enlarged head, and metrics over"
                    + " tokens."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope live --demo",
            "  ./headscope live --model ~/models/gpt2 --prompt \"The capital of France is\"",
            "  ./headscope live --model ~/models/Qwen3-0.6B --chat \\",
            "      --system \"Answer in one word.\" --prompt \"What is the capital of France?\"",
            "  ./headscope live --demo --serve 8080",
            "  ssh -L 8080:localhost:8080 gpu-machine      (from another room)",
            "  ./headscope live --demo --headless --film demo.png",
            "  ./headscope live --demo --record demo.frames",
            "  ./headscope live --replay demo.frames --speed 0.5",
            "  ./headscope live --replay text.safetensors  (written by headscope_tap.save)",
            "  ./headscope live --attach NAME              (fed by headscope_tap.py)"
        })
final class LiveCommand implements Callable<Integer> {
    /** Options of a model that generates. */
    private static final Predicate<OptionSpec> GENERATING = GivenOptions.of(SamplingOptions.class, ChatOptions.class)
            .or(GivenOptions.named("--max-new-tokens", "--seed", "--rate"));

    @Spec
    CommandSpec spec;

    @Mixin
    LiveOptions options = new LiveOptions();

    @Mixin
    DeviceOptions device = new DeviceOptions();

    @Mixin
    Views views = new Views();

    @Option(names = "--replay", paramLabel = "FILE",
            description = "Play a recording made with --record, or show a text written by headscope_tap.save, instead of running a model.")
    Optional<Path> replay = Optional.empty();

    @Mixin
    PlayOptions play = new PlayOptions();

    @Mixin
    AttachOptions attach = new AttachOptions();

    @Override
    public Integer call() throws InterruptedException {
        require(replay.isEmpty() || attach.name.isEmpty(), "--replay and --attach exclude each other: give one of them");
        require(!attach.sameGpu || attach.name.isPresent(), "--same-gpu needs --attach NAME");
        ParseResult given = spec.commandLine().getParseResult();
        if (replay.isEmpty()) {
            GivenOptions.refuse(given, GivenOptions.of(PlayOptions.class), "%s has an effect only with --replay FILE: leave it out"::formatted);
        }
        if (attach.name.isEmpty()) {
            GivenOptions.refuse(given, GivenOptions.of(AttachOptions.class), "%s has an effect only with --attach NAME: leave it out"::formatted);
        }
        if (replay.isPresent()) {
            require(!options.chooseModel(), "--replay plays a recording without a model: leave out --model, --demo, --chat and --prompt");
            replay(replay.get(), given);
        } else if (attach.name.isPresent()) {
            require(!options.chooseModel(), "--attach shows a model of another process: leave out --model, --demo, --chat and --prompt");
            GivenOptions.refuse(given, GENERATING,
                    "--attach shows a model of another process; %s has no effect on it: leave it out"::formatted);
            attach.watch(device, options.request(false), views);
        } else {
            watch();
        }
        return 0;
    }

    private void replay(Path file, ParseResult given) throws InterruptedException {
        if (!CapturedText.seemsToBe(file)) {
            play.play(file, views, () -> GivenOptions.refuse(given,
                    GENERATING.or(GivenOptions.of(LiveOptions.class, DeviceOptions.class)),
                    "--replay plays a recording as it is; %s has no effect on it: leave it out"::formatted));
            return;
        }
        play.requireRecording("has no effect on a captured text, which is shown as a whole: leave it out");
        GivenOptions.refuse(given, GENERATING, "--replay shows a captured text; %s has no effect on it: leave it out"::formatted);
        CapturedText text = CapturedText.read(file);
        WatchRequest request = options.request(false);
        try (Views.Open view = views.open();
                Backend backend = device.open();
                CapturedWatch watch = new CapturedWatch(backend, text, request, file.getFileName().toString())) {
            view.show(watch.source(), "", (frames, commands, stays) -> new Captured(watch, frames, commands, stays));
        }
    }

    /** @param untilStopped whether viewers stay when the text is shown */
    private record Captured(
            CapturedWatch watch, Consumer<Frame> frames, BlockingQueue<Command> commands, boolean untilStopped)
            implements LiveRun.Producer {
        @Override
        public void run() throws InterruptedException {
            watch.run(frames, commands, untilStopped);
        }

        @Override
        public void abandon() {
            watch.abandon();
        }
    }

    private void watch() throws InterruptedException {
        Path folder = options.model();
        String prompt = options.prompt();
        WatchRequest request = options.request(!views.headless.on);
        Prompting prompting = options.prompting();
        UnaryOperator<String> written = options.chat ? text -> prompting.chat(text, folder) : UnaryOperator.identity();
        try (Views.Open view = views.open();
                Checkpoint checkpoint = Checkpoint.open(folder);
                Tokenizer tokenizer = Tokenizer.open(folder, checkpoint.config(), prompting.specialTokens());
                Backend backend = device.open(checkpoint);
                Transformer model = new Transformer(checkpoint, backend)) {
            String name = folder.toAbsolutePath().normalize().getFileName().toString();
            view.show(Watch.source(model, request, name), prompt, (frames, commands, stays) -> {
                Watch watch = new Watch(model, tokenizer, request, name, frames, commands, written);
                watch.tokens(prompt);
                tokenizer.repeatedBeginning().map(Prompting::repeated).ifPresent(HeadscopeCommand::warn);
                tokenizer.differences().forEach(HeadscopeCommand::warn);
                GenerationKeys.ignored(folder).ifPresent(HeadscopeCommand::warn);
                return new WatchedPrompt(watch, prompt, stays);
            });
        }
    }
}
