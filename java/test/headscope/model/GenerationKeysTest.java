package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Settings of transformers' generate that answers here do not follow are named. */
class GenerationKeysTest {
    @TempDir
    Path folder;

    @Test
    void namesKeysThatWouldChangeAnswers() throws IOException {
        Path config = Files.writeString(folder.resolve("config.json"), "{\"repetition_penalty\": 1.5}");
        assertEquals(ignored(config, "repetition_penalty 1.5"), GenerationKeys.ignored(folder));
        Path generation = Files.writeString(folder.resolve("generation_config.json"), """
                {"repetition_penalty": 1.0, "num_beams": 4, "min_length": 0, "suppress_tokens": [], "bad_words_ids": [[3]],
                "forced_eos_token_id": 0, "temperature": 0.7, "penalty_alpha": null}""");
        assertEquals(ignored(generation, "num_beams 4, bad_words_ids [[3]], forced_eos_token_id 0"), GenerationKeys.ignored(folder));
        Files.writeString(generation, "{\"eos_token_id\": 2, \"num_beams\": 1}");
        assertEquals(Optional.empty(), GenerationKeys.ignored(folder));
    }

    private static Optional<String> ignored(Path file, String keys) {
        return Optional.of(file + ": these keys have no effect here, so that answers may differ from those of transformers: " + keys);
    }
}
