package headscope.cli;

import headscope.model.ChatTemplate;
import headscope.model.Checkpoint;
import headscope.model.ModelConfig;
import headscope.tensor.ModelFormatException;
import headscope.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Describes a model without running it. */
@Command(
        name = "info",
        mixinStandardHelpOptions = true,
        description = "Prints the layers, heads, parameters, dtype and memory use of a model.",
        footer = {"", "Example:", "  ./headscope info models/demo"})
final class InfoCommand implements Callable<Integer> {
    private static final double MIB = 1 << 20;

    @Parameters(paramLabel = "MODEL", description = "Model folder in Hugging Face format.")
    Path model;

    @Override
    public Integer call() {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            ModelConfig config = checkpoint.config();
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
            line("in memory", "%.1f MiB as F32, and %.3f MiB per token of text".formatted(
                    parameters * Float.BYTES / MIB, bytesPerToken(config) / MIB));
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

    /** Bytes of keys, values and statistics; the statistics are six fp32 values and one fp64 value per head. */
    private static double bytesPerToken(ModelConfig config) {
        return (double) config.layers()
                * (2.0 * config.kvHeads() * config.headDim() * Float.BYTES
                        + config.heads() * (6 * Float.BYTES + Double.BYTES));
    }

    private static void line(String name, Object value) {
        System.out.printf("%-16s %s%n", name, value);
    }
}
