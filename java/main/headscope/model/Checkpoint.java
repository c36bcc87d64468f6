package headscope.model;

import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A model folder in Hugging Face format: configuration and memory-mapped weights. */
public record Checkpoint(Path folder, ModelConfig config, Safetensors tensors) implements AutoCloseable {

    /** @throws ModelFormatException if the folder, its config.json or its weights are missing or unsupported */
    public static Checkpoint open(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new ModelFormatException(folder, Files.exists(folder)
                    ? "is not a folder; give the folder that contains config.json"
                    : "no such folder");
        }
        if (!Files.exists(folder.resolve("config.json"))) {
            throw new ModelFormatException(folder, Files.exists(folder.resolve("adapter_config.json"))
                    ? "contains only an adapter (LoRA); merge it into its base model (PEFT: merge_and_unload, then"
                            + " save_pretrained) and give that folder"
                    : "contains no config.json; give %s".formatted(nested(folder)
                            .map(inner -> "the folder " + Printable.quote(inner.toString()) + " in it")
                            .orElse("a model folder in Hugging Face format")));
        }
        ModelConfig config = ConfigReader.read(folder);
        Safetensors tensors = Safetensors.open(folder);
        try {
            ForeignNames.reject(folder, tensors);
            StoredSizes.require(folder, config, tensors);
            return new Checkpoint(folder, config, tensors);
        } catch (Throwable failure) {
            tensors.close();
            throw failure;
        }
    }

    /** The only folder in a folder that contains a config.json; empty if there are none or several. */
    private static Optional<Path> nested(Path folder) {
        try (Stream<Path> members = Files.list(folder)) {
            List<Path> models = members.filter(inner -> Files.exists(inner.resolve("config.json"))).toList();
            return models.size() == 1 ? Optional.of(folder.relativize(models.getFirst())) : Optional.empty();
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        tensors.close();
    }
}
