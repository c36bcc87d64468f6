package headscope.analysis.answers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.model.text.TestTokenizers;
import headscope.model.text.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where an answer begins and ends. */
class AnswerDecoderTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            `\n`,   `\nparis`,              paris,      false
            `\n`,   `\n \n`,                ``,         false
            `\n`,   `\nparis\nrome`,        paris,      true
            `\n`,   ` paris `,              paris,      false
            `.`,    `\nparis. rome.`,       paris,      true
            `.`,    `.`,                    ``,         true
            ` `,    ` paris rome`,          paris,      true
            ``,     `\nparis\nrome`,        `paris\nrome`, false
            """)
    void ends(String stop, String generated, String answer, boolean complete) {
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            AnswerDecoder decoder = new AnswerDecoder(tokenizer, stop);
            int[] tokens = tokenizer.encode(generated);
            int[] ended = Arrays.copyOf(tokens, tokens.length + 1);
            ended[tokens.length] = TestTokenizers.END;
            assertEquals(answer, decoder.answer(tokens));
            assertEquals(answer, decoder.answer(ended));
            assertEquals(complete, decoder.completion().test(tokens));
        }
    }
}
