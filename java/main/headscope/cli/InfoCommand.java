package headscope.cli;

import headscope.analysis.InputException;
import headscope.analysis.TextBatches;
import headscope.model.Checkpoint;
import headscope.model.MemoryNeed;
import headscope.model.ModelConfig;
import headscope.model.text.ChatTemplate;
import headscope.tensor.ModelFormatException;
import headscope.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Describes a model without running it. */
@Command(
        name = "info",
        mixinStandardHelpOptions = true,
        description = "Prints the layers, heads, parameters, dtype and memory use of a model.",
        footer = {"", "Example:", "  ./headscope info ~/models/Llama-3.2-1B --tokens 4096"})
final class InfoCommand implements Callable<Integer> {
    private static final double MIB = 1 << 20;

    @Parameters(paramLabel = "MODEL", description = "Model folder in Hugging Face format.")
    Path model;

    @Option(names = "--tokens", showDefaultValue = Visibility.NEVER, paramLabel = "N",
            description = "Number of tokens of the longest text, for the estimate of memory use (default: the model's maximum).")
    Optional<Integer> tokens = Optional.empty();

    @Override
    public Integer call() {
        InputException.require(tokens.orElse(1) >= 1, "--tokens must be at least 1, not " + tokens.orElse(1));
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            ModelConfig config = checkpoint.config();
            int longest = tokens.orElse(config.maxTokens());
            InputException.require(longest <= config.maxTokens(),
                    "--tokens must be at most %d, the model's maximum, not %d".formatted(config.maxTokens(), longest));
            List<StoredTensor> tensors =
                    checkpoint.tensors().names().stream().map(checkpoint.tensors()::get).toList();
            long parameters = tensors.stream().mapToLong(StoredTensor::count).sum();
            line("family", config.family().modelType());
            line("layers", config.layers());
            line("heads", config.heads());
            line("kv heads", config.kvHeads());
            line("head size", config.headDim());
            line("hidden size", config.hidden());
            line("vocabulary", config.vocabulary().size());
            line("maximum length", config.maxTokens() + " tokens");
            line("chat template", chatTemplate());
            line("sliding window", config.attention().windows().stream().filter(window -> window > 0).count() + " layers");
            line("parameters", "%,d".formatted(parameters));
            line("dtype", tensors.stream().map(tensor -> tensor.dtype().name()).distinct().sorted()
                    .collect(Collectors.joining(", ")));
            line("on disk", "%.1f MiB".formatted(
                    tensors.stream().mapToLong(tensor -> tensor.bytes().byteSize()).sum() / MIB));
            MemoryNeed need = MemoryNeed.of(checkpoint);
            line("in memory", "%.1f MiB as F32%s".formatted(need.weights() / MIB, need.kept().entrySet().stream()
                    .map(kept -> "; %.1f MiB with --device cpu --dtype %s".formatted(
                            kept.getValue() / MIB, kept.getKey().name().toLowerCase(Locale.ROOT)))
                    .collect(Collectors.joining())));
            line("per token", "%.3f MiB in a batch, and %.3f MiB in a text to which an answer is generated".formatted(
                    need.bytesPerRow() / MIB, need.bytesKept() / MIB));
            line("process", "%.0f MiB on the CPU, with texts of %,d tokens; %.0f MiB if answers are generated".formatted(
                    need.resident(longest, TextBatches.ON_CPU, false) / MIB, longest,
                    need.resident(longest, TextBatches.ON_CPU, true) / MIB));
        }
        return 0;
    }

    /** The file that contains it, or why it cannot be used. */
    private String chatTemplate() {
        try {
            return ChatTemplate.read(model).map(template -> template.file().getFileName().toString()).orElse("none");
        } catch (ModelFormatException unusable) {
            return "not usable: " + unusable.getMessage();
        }
    }

    private static void line(String name, Object value) {
        System.out.printf("%-16s %s%n", name, value);
    }
}
