package headscope.analysis.saliency;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.model.Checkpoint;
import headscope.model.ModelConfig;
import headscope.model.text.TestTokenizers;
import headscope.model.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tokens of a text and its target. */
class SaliencyTextTest {
    @TempDir
    private Path folder;

    private static SaliencyText read(Tokenizer tokenizer, Join join, String text, String target, Optional<String> rival) {
        ModelConfig config;
        try (Checkpoint checkpoint = Checkpoint.open(Path.of("models/demo"))) {
            config = checkpoint.config();
        }
        return new SaliencyText.Reader(config, tokenizer, join, rival)
                .commandLine(text, Optional.of(target), Optional.empty());
    }

    private static String target(Tokenizer tokenizer, String text, String target) {
        return tokenizer.token(
                read(tokenizer, Join.AUTO, text, target, Optional.empty()).target().getAsInt());
    }

    /** The first byte of a character, in the byte-level notation. */
    @ParameterizedTest
    @CsvSource({
        "日本の首都は, 東京, \u00E6", "a b c, \uD83D\uDE00, \u00F0", "the capital is, paris, \u0120", "yes or, no, \u0120n",
        "he is (, no, n", "the, caf\u00E9, \u0120ca"
    })
    void targetsOfByteLevelVocabularies(String text, String target, String token) {
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            assertEquals(token, target(tokenizer, text, target));
            SaliencyText read = read(tokenizer, Join.AUTO, text, target, Optional.empty());
            assertArrayEquals(tokenizer.encode(text), read.ids());
            assertEquals(read.length(), read.tokens().size());
        }
    }

    @Test
    void targetsWithByteFallback() {
        try (Tokenizer tokenizer = TestTokenizers.modified(folder, SaliencyTextTest::withByteFallback)) {
            assertEquals("<0xE6>", target(tokenizer, "a日", "東"));
            assertEquals("\u2581", target(tokenizer, "a", "b"));
            assertEquals("b", tokenizer.token(
                    read(tokenizer, Join.NONE, "aa", "b", Optional.empty()).target().getAsInt()));
        }
    }

    private static void withByteFallback(ObjectNode json) {
        ObjectNode model = json.withObject("/model");
        model.put("byte_fallback", true);
        model.put("unk_token", "<unk>");
        ObjectNode vocabulary = model.putObject("vocab");
        int id = 0;
        for (String token : List.of("<pad>", "<bos>", "<eos>", "<unk>", "a", "b", "\u2581")) {
            vocabulary.put(token, id++);
        }
        for (int value = 0; value < 256; value++) {
            vocabulary.put("<0x%02X>".formatted(value), id++);
        }
        model.putArray("merges");
        json.putNull("pre_tokenizer");
        json.putObject("normalizer").put("type", "Replace").put("content", "\u2581")
                .putObject("pattern").put("String", " ");
        ArrayNode decoders = json.putObject("decoder").put("type", "Sequence").putArray("decoders");
        decoders.addObject().put("type", "ByteFallback");
        decoders.addObject().put("type", "Fuse");
    }

    @Test
    void targetsDoNotFollowTheEndOfText() {
        SaliencyText expected;
        try (Tokenizer plain = TestTokenizers.byteLevel(folder)) {
            expected = read(plain, Join.AUTO, "yes or", "no", Optional.empty());
        }
        try (Tokenizer ended = TestTokenizers.withEndOfText(folder)) {
            SaliencyText text = read(ended, Join.AUTO, "yes or", "no", Optional.empty());
            assertArrayEquals(expected.ids(), text.ids());
            assertEquals(expected.target(), text.target());
        }
    }

    /** The vocabulary has "Ġo" and "on" but not "Ġon": with the target the text's last token is another. */
    @Test
    void mergedTargetsShortenTheText() {
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            SaliencyText text = read(tokenizer, Join.NONE, "the o", "n", Optional.empty());
            assertEquals(List.of("<bos>", "the"), text.tokens());
            assertEquals("\u0120", tokenizer.token(text.target().getAsInt()));
            assertEquals("--objective: \"x\" cannot follow the same tokens as the target; name another word",
                    assertThrows(InputException.class,
                            () -> read(tokenizer, Join.NONE, "the o", "n", Optional.of("x"))).getMessage());
        }
    }

    @Test
    void wordsOutsideTheVocabulary() {
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            assertEquals("--target: \"\" has no tokens", assertThrows(InputException.class,
                    () -> read(tokenizer, Join.AUTO, "the capital", "", Optional.empty())).getMessage());
        }
        try (Tokenizer demo = Tokenizer.open(Path.of("models/demo"))) {
            assertEquals("--target: \"zebra\" is not in the model's vocabulary; name another word",
                    assertThrows(InputException.class,
                            () -> read(demo, Join.AUTO, "my favorite animal is the", "zebra", Optional.empty()))
                            .getMessage());
        }
    }
}
