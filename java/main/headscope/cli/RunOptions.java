package headscope.cli;

import headscope.analysis.RunRequest;
import headscope.backend.DeviceChoice;
import headscope.backend.Precision;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import picocli.CommandLine.Option;

/** What every analysis takes on the command line. */
final class RunOptions {
    @Option(names = "--model", required = true, paramLabel = "DIR",
            description = "Model folder in Hugging Face's layout: config.json, tokenizer.json, *.safetensors.")
    Path model;

    @Option(names = "--out", paramLabel = "DIR",
            description = "Run folder to be made (default: runs/COMMAND-DATE-TIME).")
    Path out;

    @Option(names = "--device", defaultValue = "auto", paramLabel = "auto|cpu|cuda|cuda:N",
            description = "Where to compute: auto takes the first GPU that can be used, or else the CPU"
                    + " (default: ${DEFAULT-VALUE}).")
    String device;

    @Option(names = "--dtype", defaultValue = "f32", paramLabel = "f32|tf32|bf16|f16",
            description = "What a GPU multiplies, and keeps weights, keys and values in; all else is f32. f32 gives what"
                    + " the CPU gives; 16 bits need half the memory and are faster (default: ${DEFAULT-VALUE}).")
    Precision precision;

    @Option(names = "--check",
            description = "After every operation, look for numbers that are infinite or none, and name the operation:"
                    + " slow.")
    boolean check;

    @Option(names = "--resume", description = "Go on where an interrupted run into the same --out stopped.")
    boolean resume;

    @Option(names = "--overwrite", description = "Replace an earlier run in --out.")
    boolean overwrite;

    /**
     * @param analysis as the command is called
     * @param command  as it was typed
     */
    RunRequest request(String analysis, List<String> command) {
        Path folder = out != null ? out : Path.of("runs", analysis + "-"
                + LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss")));
        return new RunRequest(model, folder, new DeviceChoice(device, precision, check), resume, overwrite, "headscope " + String.join(" ", command));
    }
}
