package headscope.cli;

import headscope.analysis.watch.Watch;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.live.FrameStream;
import headscope.live.Latest;
import headscope.live.LiveRun;
import headscope.live.WindowViewer;
import headscope.model.Checkpoint;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.render.window.Window;
import headscope.result.frame.Command;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import picocli.CommandLine.Mixin;

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
            "  ./headscope live --model ~/models/gpt2 --prompt \"The capital of France is\""
        })
final class LiveCommand implements Callable<Integer> {
    @Mixin
    LiveOptions options = new LiveOptions();

    @Mixin
    DeviceOptions device = new DeviceOptions();

    @Mixin
    WindowOptions window = new WindowOptions();

    @Override
    @SuppressWarnings("try") // the stop is there to be closed
    public Integer call() {
        Path folder = options.model();
        String prompt = options.prompt();
        WatchRequest request = options.request();
        WindowOptions.Size size = window.size();
        Window.requireDisplay();
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Tokenizer tokenizer = Tokenizer.open(folder, checkpoint.config());
                Backend backend = device.open();
                Transformer model = new Transformer(checkpoint, backend)) {
            String name = folder.toAbsolutePath().normalize().getFileName().toString();
            BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
            FrameStream stream = new FrameStream(Watch.source(model, request, name), commands::add);
            Watch watch = new Watch(model, tokenizer, request, name, stream, commands);
            watch.tokens(prompt);
            Latest frames = stream.subscribe();
            // The run begins first: threads that the window's thread starts inherit its low priority.
            try (LiveRun run = new LiveRun(stream, new WatchedPrompt(watch, prompt, true));
                    CleanStop stop = new CleanStop(run::stop);
                    WindowViewer viewer = WindowViewer.open(
                            "Headscope live: " + name, size.width(), size.height(), window.vsync)) {
                viewer.view(run, frames);
            }
        }
        return 0;
    }
}
