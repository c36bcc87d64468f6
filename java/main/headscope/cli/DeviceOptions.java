package headscope.cli;

import headscope.analysis.InputException;
import headscope.backend.Backend;
import headscope.backend.DeviceChoice;
import headscope.backend.Precision;
import headscope.model.Checkpoint;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** Options that select the device and its arithmetic. */
final class DeviceOptions {
    @Option(names = "--device", paramLabel = "auto|cpu|cuda|cuda:N",
            description = "Device: auto selects the first usable GPU, otherwise the CPU (default: ${DEFAULT-VALUE}).")
    String device = "auto";

    @Option(names = "--dtype", paramLabel = "auto|f32|tf32|bf16|f16",
            description = "Matrix-product precision on a GPU: auto is the checkpoint's own type; f32 reproduces the CPU's results."
                    + " The CPU computes in f32: with --device cpu, bf16 and f16 keep weights that are stored in this type as they"
                    + " are, in half the memory and with the results of f32 (default: ${DEFAULT-VALUE}).")
    String dtype = "auto";

    @Option(names = "--check",
            description = "Check the results of every operation for infinite and NaN values; slow.")
    boolean check;

    DeviceChoice choice() {
        return InputException.rejecting(() -> new DeviceChoice(device, Precision.parse(dtype), check));
    }

    /** Opens the device for work without a checkpoint, for which auto is f32. */
    Backend open() {
        return open(InputException.rejecting(choice()::withoutWeights), () -> Precision.F32);
    }

    /** Opens the device for work with and without checkpoints, for which auto is f32. */
    Backend openForAny() {
        return open(choice(), () -> Precision.F32);
    }

    /** Opens the device for a checkpoint. */
    Backend open(Checkpoint checkpoint) {
        return open(choice(), checkpoint::precision);
    }

    private static Backend open(DeviceChoice choice, Supplier<Precision> own) {
        return InputException.rejecting(() -> Backend.open(choice, own, HeadscopeCommand::warn));
    }
}
