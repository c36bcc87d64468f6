package headscope.cli;

import static headscope.analysis.InputException.require;

import headscope.analysis.InputException;
import headscope.analysis.watch.AttachedWatch;
import headscope.analysis.watch.Tap;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.backend.SharedMemory;
import headscope.live.LiveRun;
import headscope.live.SourceStatus;
import headscope.live.ring.GpuSlots;
import headscope.live.ring.RingReader;
import headscope.result.frame.Command;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import headscope.result.tapped.Tapped;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.BlockingQueue;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** How a model in another process is watched. */
final class AttachOptions {
    @Option(names = "--attach", paramLabel = "NAME",
            description = "Show a PyTorch model in another process on this machine: headscope_tap.tap(model, NAME) feeds it"
                    + " (clients/python/headscope_tap.py).")
    Optional<String> name = Optional.empty();

    @Option(names = "--max-tokens", paramLabel = "N",
            description = "With --attach: maximum number of tokens of a text (default: ${DEFAULT-VALUE}).")
    int maxTokens = 4096;

    @Option(names = "--same-gpu",
            description = "With --attach, for a model on the same GPU: copy queries and keys within the GPU's memory instead of"
                    + " through the host's.")
    boolean sameGpu;

    /** Shows what comes through the tap, in views, until the user stops. */
    @SuppressWarnings("try") // the receiver is there to be closed
    void watch(DeviceOptions device, WatchRequest request, Views views) throws InterruptedException {
        require(maxTokens >= 1, "--max-tokens must be at least 1, not " + maxTokens);
        try (Views.Open view = views.open();
                RingReader reader = RingReader.open(name.orElseThrow());
                Backend backend = device.open();
                Receiver received = sameGpu ? Receiver.open(reader, backend) : () -> {};
                AttachedWatch watch = new AttachedWatch(backend, new Ring(reader), request, maxTokens)) {
            HeadscopeCommand.warn("waiting for %s to compute; Ctrl-C ends the wait".formatted(name.get()));
            FrameSource source = watch.await(name.get());
            view.show(source, "", (frames, commands, stays) -> new AttachedModel(watch, frames, commands, stays));
        }
    }

    /** @param untilStopped whether viewers wait for another process when this one has ended */
    private record AttachedModel(
            AttachedWatch watch, Consumer<Frame> frames, BlockingQueue<Command> commands, boolean untilStopped)
            implements LiveRun.Producer {
        @Override
        public void run() throws InterruptedException {
            watch.run(frames, commands, untilStopped);
        }

        @Override
        public SourceStatus status() {
            return new SourceStatus(OptionalDouble.empty(), watch.missing().skipped(), watch.missing().lost());
        }

        /** What has come through the tap is shown at once: there is nothing to abandon. */
        @Override
        public void abandon() {}
    }

    /** Memory of the GPU that the feeding process writes, until it is closed. */
    private interface Receiver extends AutoCloseable {
        static Receiver open(RingReader reader, Backend backend) {
            SharedMemory memory = InputException.rejecting(() -> backend.share(reader.gpuBytes(), reader.slotBytes()));
            reader.receive(new Slots(memory));
            return () -> {
                if (reader.withdraw()) {
                    memory.close();
                }
            };
        }

        @Override
        void close();
    }

    private record Slots(SharedMemory memory) implements GpuSlots {
        @Override
        public byte[] handle() {
            return memory.handle();
        }

        @Override
        public byte[] uuid() {
            return memory.uuid();
        }

        @Override
        public MemorySegment read(long offset, long bytes) {
            return memory.read(offset, bytes);
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

        @Override
        public Missing missing() {
            return new Missing(reader.skipped(), reader.refused().values().stream().mapToLong(Long::longValue).sum());
        }
    }
}
