package headscope.cli;

import headscope.backend.Backend;
import headscope.backend.DeviceChoice;
import headscope.backend.Precision;
import picocli.CommandLine.Option;

/** Where to compute, and how. */
final class DeviceOptions {
    @Option(names = "--device", defaultValue = "auto", paramLabel = "auto|cpu|cuda|cuda:N",
            description = "Where to compute: auto takes the first GPU that can be used, or else the CPU"
                    + " (default: ${DEFAULT-VALUE}).")
    String device;

    @Option(names = "--dtype", defaultValue = "f32", paramLabel = "f32|tf32|bf16|f16",
            description = "What a GPU multiplies matrices in; f32 gives what the CPU gives (default: ${DEFAULT-VALUE}).")
    Precision precision;

    @Option(names = "--check",
            description = "After every operation, look for numbers that are infinite or none, and name the operation:"
                    + " slow.")
    boolean check;

    DeviceChoice choice() {
        return new DeviceChoice(device, precision, check);
    }

    Backend open() {
        return Backend.open(choice(), line -> System.err.println("headscope: " + line));
    }
}
