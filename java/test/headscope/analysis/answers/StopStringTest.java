package headscope.analysis.answers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.model.text.TestTokenizers;
import headscope.model.text.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A stop string is found at the same token as in the text of all tokens. */
class StopStringTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            `\n`,     ` \n \nparis\nrome`
            `\u65E5`, `\na\u65E5\u672C`
            `a\u65E5\u672C.`, ` \u65E5\u672Ca\u65E5\u672C. b`
            `\uD83D\uDE00!`, `a \uD83D\uDE00 \uD83D\uDE00!`
            `is. r`,  `paris. rome.`
            `never`,  `\uD83D\uDE00 paris \u65E5\u672C`
            """)
    void findsWhatTheWholeTextHas(String stop, String text) {
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            int[] tokens = tokenizer.encode(text);
            assertEquals(text, tokenizer.decode(tokens));
            StopString search = new StopString(tokenizer::decode, stop);
            for (int length = 1; length <= tokens.length; length++) {
                int[] generated = Arrays.copyOf(tokens, length);
                boolean complete = tokenizer.decode(generated).stripLeading().contains(stop);
                assertEquals(complete, search.isComplete(generated), "after " + length + " tokens");
                assertEquals(complete, search.isComplete(generated), "again after " + length + " tokens");
                if (complete) {
                    return; // the answer ends here
                }
            }
        }
    }

    @Test
    void decodesFewTokensAStep() {
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            int[] tokens = tokenizer.encode("paris \u65E5\u672C \uD83D\uDE00 ".repeat(20));
            int[] decoded = new int[1];
            StopString search = new StopString(ids -> {
                decoded[0] += ids.length;
                return tokenizer.decode(ids);
            }, "never");
            for (int length = 1; length <= tokens.length; length++) {
                search.isComplete(Arrays.copyOf(tokens, length));
            }
            assertTrue(decoded[0] <= 12 * tokens.length, decoded[0] + " for " + tokens.length + " tokens");
        }
    }
}
