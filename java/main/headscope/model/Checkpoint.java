package headscope.model;

import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import java.nio.file.Files;
import java.nio.file.Path;

/** A model folder in Hugging Face's layout: settings, mapped weights, and a tokenizer where there is one. */
public record Checkpoint(Path folder, ModelConfig config, Safetensors tensors) implements AutoCloseable {

    /** @throws ModelFormatException if the folder, its config.json or its weights cannot be used */
    public static Checkpoint open(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new ModelFormatException(folder,
                    Files.exists(folder) ? "is not a folder; give the folder that holds config.json" : "no such folder");
        }
        if (!Files.exists(folder.resolve("config.json"))) {
            throw new ModelFormatException(folder, "holds no config.json; give a model's folder in Hugging Face's layout");
        }
        return new Checkpoint(folder, ConfigReader.read(folder), Safetensors.open(folder));
    }

    @Override
    public void close() {
        tensors.close();
    }
}
