package headscope.model;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Keys of generation_config.json, or of config.json where that file is missing, that would change transformers' answers. Those of
 * sampling are not among them: here, options choose it.
 */
public final class GenerationKeys {
    /** Keys that are without effect if they are 1. */
    private static final List<String> FACTORS =
            List.of("repetition_penalty", "encoder_repetition_penalty", "num_beams", "guidance_scale");

    /** Keys that are without effect if they are 0 or empty. */
    private static final List<String> OTHERS = List.of(
            "no_repeat_ngram_size", "suppress_tokens", "begin_suppress_tokens", "bad_words_ids", "sequence_bias", "min_new_tokens",
            "min_length", "exponential_decay_length_penalty", "penalty_alpha", "watermarking_config", "stop_strings");

    /** Keys that always have an effect. */
    private static final List<String> TOKENS = List.of("forced_bos_token_id", "forced_eos_token_id");

    private GenerationKeys() {}

    /** That there are such keys, which answers here do not follow; one line. */
    public static Optional<String> ignored(Path model) {
        Path own = model.resolve("generation_config.json");
        Path file = Files.exists(own) ? own : model.resolve("config.json");
        ConfigFields fields = ConfigFields.read(file);
        List<String> found = Stream.of(
                FACTORS.stream().filter(key -> fields.isOtherThan(1, key)),
                OTHERS.stream().filter(key -> fields.isOtherThan(0, key)),
                TOKENS.stream().filter(fields::hasValue)).flatMap(keys -> keys).toList();
        return found.isEmpty() ? Optional.empty() : Optional.of(("%s: these keys have no effect here, so that answers may differ from those of transformers: %s")
                .formatted(file, found.stream().map(fields::show).collect(Collectors.joining(", "))));
    }
}
