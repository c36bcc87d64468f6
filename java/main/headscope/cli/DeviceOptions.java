package headscope.cli;

import headscope.analysis.InputException;
import headscope.backend.Backend;
import headscope.backend.DeviceChoice;
import headscope.backend.Precision;
import picocli.CommandLine.Option;

/** Options that select the device and its arithmetic. */
final class DeviceOptions {
    @Option(names = "--device", paramLabel = "auto|cpu|cuda|cuda:N",
            description = "Device: auto selects the first usable GPU, otherwise the CPU (default: ${DEFAULT-VALUE}).")
    String device = "auto";

    @Option(names = "--dtype", paramLabel = "f32|tf32|bf16|f16",
            description = "Matrix-product precision on a GPU; f32 reproduces the CPU's results"
                    + " (default: ${DEFAULT-VALUE}).")
    Precision precision = Precision.F32;

    @Option(names = "--check",
            description = "Check the results of every operation for infinite and NaN values; slow.")
    boolean check;

    DeviceChoice choice() {
        return InputException.rejecting(() -> new DeviceChoice(device, precision, check));
    }

    Backend open() {
        return InputException.rejecting(() -> Backend.open(choice(), HeadscopeCommand::warn));
    }
}
