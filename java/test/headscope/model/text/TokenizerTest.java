package headscope.model.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.model.Checkpoint;
import headscope.model.ModelConfig;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
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

    private static ModelConfig config() {
        try (Checkpoint demo = Checkpoint.open(DEMO)) {
            return demo.config();
        }
    }

    /** The prompts of the demo contain no unknown token and fit into the model. */
    @Test
    void promptsSurviveARoundTrip() throws IOException {
        ModelConfig config = config();
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

    /** With dropout 1 a byte-level tokenizer without merges would remain. */
    @ParameterizedTest
    @ValueSource(doubles = {0.5, 1})
    void dropoutIsOff(double dropout) {
        String text = "the capital of france is paris . the quick brown fox jumps";
        int[] expected;
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            expected = tokenizer.encode(text);
        }
        try (Tokenizer tokenizer =
                TestTokenizers.modified(folder, json -> json.withObject("/model").put("dropout", dropout))) {
            assertArrayEquals(expected, tokenizer.encode(text));
        }
    }

    @Test
    void promptsDoNotEndWithTheTemplate() {
        try (Tokenizer plain = TestTokenizers.byteLevel(folder);
                Tokenizer ended = TestTokenizers.withEndOfText(folder)) {
            for (String text : List.of("the capital is", "", "the <eos>", "日本")) {
                int[] prompt = plain.encode(text);
                int[] whole = ended.encode(text);
                assertEquals(TestTokenizers.END, whole[whole.length - 1]);
                assertArrayEquals(prompt, Arrays.copyOf(whole, whole.length - 1));
                assertArrayEquals(prompt, ended.encodePrompt(text), text);
                assertArrayEquals(prompt, plain.encodePrompt(text), text);
                assertArrayEquals(prompt, ended.tokens(text).ids(), text);
                assertEquals(prompt.length, ended.tokens(text).tokens().size());
                assertEquals(1, ended.tokens(text).before());
            }
        }
    }

    @Test
    void stringsOfTheVocabulary() {
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            Tokenizer.Tokens text = tokenizer.tokens("the capital\n日");
            for (int i = 0; i < text.ids().length; i++) {
                assertEquals(text.tokens().get(i), tokenizer.token(text.ids()[i]));
            }
            assertEquals("<eos>", tokenizer.token(TestTokenizers.END));
            assertEquals("", tokenizer.token(320));
        }
        try (Tokenizer unigram = TestTokenizers.modified(folder, TokenizerTest::makeUnigram)) {
            Tokenizer.Tokens text = unigram.tokens("ab");
            assertArrayEquals(new int[] {BEGIN, 4, 3}, text.ids());
            assertEquals("a", unigram.token(4));
            assertFalse(unigram.isUnknown(4, text.tokens().get(1)));
            assertTrue(unigram.isUnknown(3, text.tokens().get(2)));
        }
        try (Tokenizer demo = Tokenizer.open(DEMO)) {
            assertTrue(demo.isUnknown(UNKNOWN, demo.token(UNKNOWN)));
            assertFalse(demo.isUnknown(BEGIN, demo.token(BEGIN)));
        }
    }

    /** A vocabulary of [token, score], whose unknown token has a number. */
    private static void makeUnigram(ObjectNode json) {
        ObjectNode model = json.putObject("model").put("type", "Unigram").put("unk_id", 3);
        ArrayNode vocabulary = model.putArray("vocab");
        for (String token : List.of("<pad>", "<bos>", "<eos>", "<unk>", "a")) {
            vocabulary.addArray().add(token).add(-1.5);
        }
        json.putNull("pre_tokenizer");
        json.putNull("decoder");
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

    @Test
    void specialTokensCanBeLeftToTheText() {
        ModelConfig config = config();
        try (Tokenizer with = Tokenizer.open(DEMO, config);
                Tokenizer without = Tokenizer.open(DEMO, config, false)) {
            assertArrayEquals(with.encode("six minus two"), without.encode("<bos>six minus two"));
            assertEquals(0, without.tokens("six").before());
            assertEquals(Optional.empty(), without.repeatedBeginning());
            assertEquals(Optional.empty(), with.repeatedBeginning());
            with.encodePrompt("<bos>six minus two");
            with.encodePrompt("six");
            assertEquals(Optional.of("<bos>"), with.repeatedBeginning());
        }
    }
}
