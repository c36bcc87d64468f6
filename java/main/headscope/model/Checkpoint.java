package headscope.model;

import headscope.backend.Precision;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.Safetensors;
import headscope.tensor.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A model folder in Hugging Face format: configuration and memory-mapped weights. */
public record Checkpoint(Path folder, ModelConfig config, Safetensors tensors) implements AutoCloseable {
    /** Characters of a value in a message at most. */
    private static final int SHOWN = 60;

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

    /**
     * The checkpoint's own precision, as transformers 5.18 determines it ({@code _get_dtype}): dtype of config.json, formerly
     * torch_dtype; if it has neither, the type of the first floating-point tensor, by name, of the first file. fp32 replaces
     * fp64, in which no product is computed.
     *
     * @throws ModelFormatException if config.json has another type
     */
    public Precision precision() {
        ConfigFields fields = ConfigFields.read(folder.resolve("config.json"));
        Optional<String> name = Stream.of("dtype", "torch_dtype").filter(fields::hasValue).findFirst();
        return name.map(field -> precision(fields, field)).orElseGet(this::storedPrecision);
    }

    private static Precision precision(ConfigFields fields, String field) {
        return switch (fields.text(field)) {
            case "float32", "float", "float64", "double" -> Precision.F32;
            case "bfloat16" -> Precision.BF16;
            case "float16", "half" -> Precision.F16;
            default -> throw fields.wrong(field, "\"%s\" is not supported; choose --dtype f32, tf32, bf16 or f16"
                    .formatted(Printable.line(fields.text(field), SHOWN)));
        };
    }

    private Precision storedPrecision() {
        return tensors.names().stream().map(tensors::get)
                .filter(tensor -> tensor.file().equals(tensors.files().getFirst()))
                .map(StoredTensor::dtype)
                .filter(EnumSet.of(DType.F64, DType.F32, DType.F16, DType.BF16)::contains)
                .findFirst()
                .map(type -> switch (type) {
                    case F16 -> Precision.F16;
                    case BF16 -> Precision.BF16;
                    default -> Precision.F32;
                })
                .orElse(Precision.F32);
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
