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
            throw new ModelFormatException(folder, Files.exists(folder.resolve("adapter_config.json"))
                    ? "contains only an adapter (LoRA); merge it into its base model (PEFT: merge_and_unload, then"
                            + " save_pretrained) and give that folder"
                    : "contains no config.json; give a model folder in Hugging Face format");
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

    @Override
    public void close() {
        tensors.close();
    }
}
