package headscope.model;

import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import java.nio.file.Files;
import java.nio.file.Path;

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
            throw new ModelFormatException(
                    folder, "contains no config.json; give a model folder in Hugging Face format");
        }
        return new Checkpoint(folder, ConfigReader.read(folder), Safetensors.open(folder));
    }

    @Override
    public void close() {
        tensors.close();
    }
}
