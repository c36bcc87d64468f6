package headscope.cli;

import headscope.backend.Backend;
import picocli.CommandLine.Option;

/** Where to compute. */
final class DeviceOptions {
    @Option(names = "--device", defaultValue = "auto", paramLabel = "auto|cpu",
            description = "Where to compute (default: ${DEFAULT-VALUE}).")
    String device;

    Backend open() {
        return Backend.open(device);
    }
}
