package headscope.cli;

import static headscope.analysis.InputException.require;

import headscope.analysis.watch.Watch;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.model.Checkpoint;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows every head while a model reads and generates. */
@picocli.CommandLine.Command(
        name = "live",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Shows every head while a model reads a prompt and continues it.",
            "A window shows the attention maps of all heads as tokens come, one head closely, and metrics over tokens."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope live --demo",
            "  ./headscope live --model ~/models/gpt2 --prompt \"The capital of France is\"",
            "  ./headscope live --demo --serve 8080",
            "  ssh -L 8080:localhost:8080 gpu-machine      (from another room)",
            "  ./headscope live --demo --headless --film demo.png",
            "  ./headscope live --demo --record demo.frames",
            "  ./headscope live --replay demo.frames --speed 0.5",
            "  ./headscope live --attach NAME              (a PyTorch model: clients/python/headscope_tap.py)"
        })
final class LiveCommand implements Callable<Integer> {
    @Mixin
    LiveOptions options = new LiveOptions();

    @Mixin
    DeviceOptions device = new DeviceOptions();

    @Mixin
    Views views = new Views();

    @Option(names = "--replay", paramLabel = "FILE", description = "Play a recording of --record instead of a model.")
    Optional<Path> replay = Optional.empty();

    @Mixin
    PlayOptions play = new PlayOptions();

    @Mixin
    AttachOptions attach = new AttachOptions();

    @Override
    public Integer call() throws InterruptedException {
        require(replay.isEmpty() || attach.name.isEmpty(), "--replay and --attach exclude each other: give one of them");
        if (replay.isPresent()) {
            require(!options.chooseModel(), "--replay plays a recording without a model: leave out --model, --demo and --prompt");
            play.play(replay.get(), views);
        } else if (attach.name.isPresent()) {
            require(!options.chooseModel(), "--attach shows a model of another process: leave out --model, --demo and --prompt");
            attach.watch(device, options.request(false), views);
        } else {
            watch();
        }
        return 0;
    }

    private void watch() throws InterruptedException {
        Path folder = options.model();
        String prompt = options.prompt();
        WatchRequest request = options.request(!views.headless.on);
        try (Views.Open view = views.open();
                Checkpoint checkpoint = Checkpoint.open(folder);
                Tokenizer tokenizer = Tokenizer.open(folder, checkpoint.config());
                Backend backend = device.open();
                Transformer model = new Transformer(checkpoint, backend)) {
            String name = folder.toAbsolutePath().normalize().getFileName().toString();
            view.show(Watch.source(model, request, name), prompt, (frames, commands, stays) -> {
                Watch watch = new Watch(model, tokenizer, request, name, frames, commands);
                watch.tokens(prompt);
                return new WatchedPrompt(watch, prompt, stays);
            });
        }
    }
}
