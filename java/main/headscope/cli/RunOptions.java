package headscope.cli;

import headscope.analysis.RunRequest;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What every analysis takes on the command line. */
final class RunOptions {
    @Option(names = "--model", required = true, paramLabel = "DIR",
            description = "Model folder in Hugging Face's layout: config.json, tokenizer.json, *.safetensors.")
    Path model;

    @Option(names = "--out", paramLabel = "DIR",
            description = "Run folder to be made (default: runs/COMMAND-DATE-TIME).")
    Path out;

    @Mixin
    DeviceOptions device;

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
        return new RunRequest(
                model, folder, device.choice(), resume, overwrite, "headscope " + ShellWords.joined(command));
    }
}
