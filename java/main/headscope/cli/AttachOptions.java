package headscope.cli;

import static headscope.analysis.InputException.require;

import headscope.analysis.watch.AttachedWatch;
import headscope.analysis.watch.Tap;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.live.ring.RingReader;
import headscope.result.frame.FrameSource;
import headscope.result.tapped.Tapped;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How a model in another process is watched. */
final class AttachOptions {
    @Option(names = "--attach", paramLabel = "NAME",
            description = "Show a PyTorch model in another process on this machine: headscope_tap.tap(model, NAME) feeds it"
                    + " (clients/python/headscope_tap.py).")
    Optional<String> name = Optional.empty();

    @Option(names = "--max-tokens", paramLabel = "N",
            description = "With --attach: the longest text that is shown (default: ${DEFAULT-VALUE}).")
    int maxTokens = 4096;

    /** Shows what comes through the tap, in views, until the user stops. */
    void watch(DeviceOptions device, WatchRequest request, Views views) throws InterruptedException {
        require(maxTokens >= 1, "--max-tokens must be at least 1, not " + maxTokens);
        try (Views.Open view = views.open();
                RingReader reader = RingReader.open(name.orElseThrow());
                Backend backend = device.open();
                AttachedWatch watch = new AttachedWatch(backend, new Ring(reader), request, maxTokens)) {
            HeadscopeCommand.warn("waiting for %s to compute; Ctrl-C ends the wait".formatted(name.get()));
            FrameSource source = watch.await(name.get());
            view.show(source, "", (frames, commands, stays) -> new AttachedModel(watch, frames, commands, stays));
        }
    }

    private record Ring(RingReader reader) implements Tap {
        @Override
        public Optional<Tapped> poll() {
            return reader.poll();
        }

        @Override
        public int layers() {
            return reader.layers();
        }

        @Override
        public int restarts() {
            return reader.restarts();
        }

        @Override
        public boolean hasProducer() {
            return reader.hasProducer();
        }
    }
}
