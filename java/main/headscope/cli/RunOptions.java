package headscope.cli;

import headscope.analysis.InputException;
import headscope.analysis.RunRequest;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of every analysis. */
final class RunOptions {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss");

    @Option(names = "--model", paramLabel = "DIR",
            description = "Model folder in Hugging Face format: config.json, tokenizer.json, *.safetensors.")
    Path model;

    @Option(names = "--out", paramLabel = "DIR",
            description = "Run folder to write (default: runs/COMMAND-DATE-TIME).")
    Optional<Path> out;

    @Mixin
    DeviceOptions device = new DeviceOptions();

    @Mixin
    FieldsOption fields = new FieldsOption();

    @Mixin
    ChatOptions chat = new ChatOptions();

    @Mixin
    BatchOption batch = new BatchOption();

    @Option(names = "--resume", description = "Resume an interrupted run; needs its --out.")
    boolean resume;

    @Option(names = "--overwrite", description = "Replace an existing run in --out.")
    boolean overwrite;

    /** @param arguments of the program: the analysis and its options */
    RunRequest request(List<String> arguments) {
        InputException.require(model != null, "--model is missing: give the folder of a model");
        InputException.require(!resume || out.isPresent(), "--resume needs --out DIR: name the interrupted run, without .partial; without"
                + " --out a new run begins");
        return new RunRequest(model, out(arguments), device.choice(), resume, overwrite, ShellCommand.of(arguments), fields.parse(),
                chat.prompting(), batch.tokens());
    }

    /** The number of texts of --limit; 0 for all. */
    static int limit(Optional<Integer> option) {
        option.ifPresent(limit -> InputException.require(limit >= 1, "--limit must be at least 1, not " + limit));
        return option.orElse(0);
    }

    Path out(List<String> arguments) {
        return out.orElseGet(
                () -> Path.of("runs", arguments.getFirst() + "-" + LocalDateTime.now().format(TIME)));
    }
}
