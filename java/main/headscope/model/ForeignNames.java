package headscope.model;

import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.Safetensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** Recognises checkpoints that other programs have wrapped or renamed, and says how to convert them. */
final class ForeignNames {
    private static final String SAVE = ", load the model with transformers and save it with save_pretrained";

    private record Naming(Pattern name, String rule) {}

    private static final List<Naming> NAMINGS = List.of(
            new Naming(Pattern.compile(".*(\\.lora_|\\.base_layer\\.).*|base_model\\.model\\..*"),
                    "belongs to an adapter (LoRA): merge it into its base model (PEFT: merge_and_unload, then"
                            + " save_pretrained)"),
            new Naming(Pattern.compile("_orig_mod\\..*"),
                    "has the prefix _orig_mod. of torch.compile: save the uncompiled model (model._orig_mod) instead"),
            new Naming(Pattern.compile("module\\..*"),
                    "has the prefix module. of DataParallel: save the wrapped model (model.module) instead"),
            new Naming(Pattern.compile("(model\\.)?language_model\\..*"),
                    "belongs to a multimodal model: save its language model as a checkpoint of its own"
                            + " (model.language_model.save_pretrained)"),
            new Naming(Pattern.compile(".*\\.(gamma|beta)"),
                    "has a name of TensorFlow: to rename gamma and beta to weight and bias" + SAVE));

    private ForeignNames() {}

    /** @throws ModelFormatException if the folder also contains an adapter, or a tensor has a name of another program */
    static void reject(Path folder, Safetensors tensors) {
        for (String adapter : List.of("adapter_config.json", "adapter_model.safetensors", "adapter_model.bin")) {
            if (Files.exists(folder.resolve(adapter))) {
                throw new ModelFormatException(folder.resolve(adapter), "is an adapter (LoRA), which is not applied: merge it"
                        + " into the model (PEFT: merge_and_unload, then save_pretrained), or move it to another folder");
            }
        }
        for (String tensor : tensors.names()) {
            for (Naming naming : NAMINGS) {
                if (naming.name().matcher(tensor).matches()) {
                    throw new ModelFormatException(
                            tensors.get(tensor).file(), "tensor " + Printable.quote(tensor), naming.rule());
                }
            }
        }
    }
}
