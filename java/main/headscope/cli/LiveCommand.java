package headscope.cli;

import static headscope.analysis.InputException.rejecting;

import headscope.analysis.watch.Watch;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.live.FrameStream;
import headscope.live.Latest;
import headscope.live.LiveRun;
import headscope.live.serve.AccessToken;
import headscope.live.serve.PageServer;
import headscope.live.serve.ServeAddress;
import headscope.live.window.WindowViewer;
import headscope.model.Checkpoint;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.render.window.Window;
import headscope.result.frame.Command;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
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
            "  ssh -L 8080:localhost:8080 gpu-machine      (from another room)"
        })
final class LiveCommand implements Callable<Integer> {
    @Mixin
    LiveOptions options = new LiveOptions();

    @Mixin
    DeviceOptions device = new DeviceOptions();

    @Mixin
    WindowOptions window = new WindowOptions();

    @Option(names = "--serve", paramLabel = "[HOST:]PORT",
            description = {
                "Serve a page for browsers instead of a window, on this machine only unless a host is named.",
                "The page's address contains a secret token, new each time unless HEADSCOPE_TOKEN is set."
            })
    Optional<String> serve = Optional.empty();

    /** Shows a run to the user until one of them ends. */
    private interface View {
        void show(LiveRun run, Latest frames) throws InterruptedException;
    }

    @Override
    public Integer call() throws InterruptedException {
        options.model();
        options.request();
        if (serve.isPresent()) {
            serve(rejecting(() -> ServeAddress.parse(serve.get())));
        } else {
            window.size();
            Window.requireDisplay();
            watch((run, frames) -> {
                try (WindowViewer viewer = WindowViewer.open(run, window.settings(options.prompt()))) {
                    viewer.view(run, frames);
                }
            });
        }
        return 0;
    }

    private void serve(ServeAddress address) throws InterruptedException {
        AccessToken token = Optional.ofNullable(System.getenv(AccessToken.VARIABLE))
                .map(text -> rejecting(() -> AccessToken.of(text)))
                .orElseGet(AccessToken::random);
        try (PageServer page = PageServer.open(address, token)) {
            watch((run, frames) -> {
                System.out.println("Open " + page.url());
                page.view(run, frames, options.prompt());
            });
        }
    }

    @SuppressWarnings("try") // the stop is there to be closed
    private void watch(View view) throws InterruptedException {
        Path folder = options.model();
        String prompt = options.prompt();
        WatchRequest request = options.request();
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
                    CleanStop stop = new CleanStop(run::stop)) {
                view.show(run, frames);
            }
        }
    }
}
