package headscope.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Supported values of {@code model_type} in config.json. */
public enum Family {
    GPT2,
    GPT_NEOX,
    LLAMA,
    MISTRAL,
    QWEN2,
    QWEN3,
    GEMMA2,
    GEMMA3_TEXT,
    PHI3,
    OLMO2,
    GPT_OSS,
    BERT;

    /** The value in config.json. */
    public String modelType() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Optional<Family> of(String modelType) {
        return Arrays.stream(values()).filter(family -> family.modelType().equals(modelType)).findFirst();
    }

    static String all() {
        return Arrays.stream(values()).map(Family::modelType).collect(Collectors.joining(", "));
    }
}
