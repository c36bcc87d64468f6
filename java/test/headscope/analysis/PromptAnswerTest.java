package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.model.Checkpoint;
import headscope.model.ModelConfig;
import headscope.model.text.TestTokenizers;
import headscope.model.text.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Prompts and answers as tokens. */
class PromptAnswerTest {
    private static final Entry LINE = new Entry("f", "line 1", new ObjectMapper().createObjectNode());

    @TempDir
    private Path folder;

    private static ModelConfig config() {
        try (Checkpoint checkpoint = Checkpoint.open(Path.of("models/demo"))) {
            return checkpoint.config();
        }
    }

    /** Tokens of the joined text, with the begin-of-text token; bytes where the vocabulary has no more. */
    @ParameterizedTest
    @CsvSource({"日本の首都は,東京,25,19", "2+2=,4,6,5", "(,A,3,2", "the capital is,paris,9,7"})
    void tokens(String prompt, String answer, int tokens, int start) {
        try (Tokenizer plain = TestTokenizers.byteLevel(folder)) {
            PromptAnswer text = PromptAnswer.of(LINE, prompt, answer, Join.AUTO, config(), plain);
            assertEquals(tokens, text.ids().length, Arrays.toString(plain.tokens(prompt + " " + answer).tokens().toArray()));
            assertEquals(start, text.start());
        }
    }

    @Test
    void endOfTextBelongsToNeither() {
        PromptAnswer without;
        try (Tokenizer plain = TestTokenizers.byteLevel(folder)) {
            without = PromptAnswer.of(LINE, "the capital is", "paris", Join.AUTO, config(), plain);
        }
        try (Tokenizer ended = TestTokenizers.withEndOfText(folder)) {
            PromptAnswer text = PromptAnswer.of(LINE, "the capital is", "paris", Join.AUTO, config(), ended);
            assertEquals(Arrays.toString(without.ids()), Arrays.toString(text.ids()));
            assertEquals(without.start(), text.start());
            assertEquals("f: line 1: the answer has no tokens", assertThrows(InputException.class,
                    () -> PromptAnswer.of(LINE, "the", "", Join.AUTO, config(), ended)).getMessage());
        }
    }
}
