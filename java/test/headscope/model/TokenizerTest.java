package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tokenizer of the demo checkpoint. */
class TokenizerTest {
    private static final Path DEMO = Path.of("models/demo");
    private static final int BEGIN = 1;
    private static final int UNKNOWN = 2;
    private static final int END = 3;

    @TempDir
    private Path folder;

    @Test
    void encodingAddsTheBeginOfTextToken() {
        try (Tokenizer tokenizer = Tokenizer.open(DEMO)) {
            assertArrayEquals(new int[] {BEGIN, 5, 4, 10}, tokenizer.encode(". , a"));
            assertArrayEquals(new int[] {BEGIN}, tokenizer.encode(""));
            assertArrayEquals(new int[] {BEGIN, 10, UNKNOWN}, tokenizer.encode("a  Zürich\n"));
        }
    }

    @Test
    void decodingOmitsSpecialTokens() {
        try (Tokenizer tokenizer = Tokenizer.open(DEMO)) {
            assertEquals("a .", tokenizer.decode(new int[] {BEGIN, 10, 5, END}));
            assertEquals("", tokenizer.decode(new int[0]));
        }
    }

    /** The prompts of the demo contain no unknown token and fit into the model. */
    @Test
    void promptsSurviveARoundTrip() throws IOException {
        ModelConfig config = ConfigReader.read(DEMO);
        ObjectMapper json = new ObjectMapper();
        try (Tokenizer tokenizer = Tokenizer.open(DEMO)) {
            for (String line : Files.readAllLines(Path.of("data/qa.jsonl"))) {
                String prompt = json.readTree(line).get("prompt").textValue();
                int[] ids = tokenizer.encode(prompt);
                assertEquals(prompt, tokenizer.decode(ids));
                assertTrue(ids.length < config.maxTokens(), prompt);
                for (int id : ids) {
                    assertTrue(id != UNKNOWN && id < config.vocabulary().size(), prompt);
                }
            }
        }
    }

    @Test
    void missingFile() {
        assertEquals(folder.resolve("tokenizer.json") + ": is missing; texts cannot be tokenized without it",
                assertThrows(ModelFormatException.class, () -> Tokenizer.open(folder)).getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "{}", "words"})
    void damagedFile(String content) throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), content);
        String message = assertThrows(ModelFormatException.class, () -> Tokenizer.open(folder)).getMessage();
        assertTrue(message.startsWith(file + ": cannot be read as a tokenizer: "), message);
        assertEquals(1, message.lines().count(), message);
    }
}
