package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.model.text.TestTokenizers;
import headscope.model.text.Tokenizer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What stands between prompt and answer. */
class JoinTest {
    @TempDir
    private static Path folder;

    /** " 1" is a token of the vocabulary, " 4" and " paris" are not. */
    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            the capital is, paris,  ` `
            yes or,         no,     ` `
            the answer:,    no,     ` `
            he is the 1.,   no,     ` `
            2 + 2 =,        1,      ` `
            2+2=,           1,      ``
            2+2=,           4,      ``
            the,            4,      ``
            10/,            1,      ``
            it is $,        1,      ``
            (,              no,     ``
            [,              no,     ``
            «,              no,     ``
            he is ",        no,     ``
            he is "it",     no,     ` `
            paris,          .,      ``
            日本の首都は,   東京,   ``
            日本の首都は,   no,     ``
            the,            東京,   ``
            กรุงเทพ,        no,     ``
            日本。,         no,     ``
            `the `,         no,     ``
            the,            ` no`,  ``
            `the\u3000`,    no,     ``
            `the\u00A0`,    no,     ``
            """)
    void automatic(String prompt, String answer, String between) {
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            assertEquals(between, Join.AUTO.between(prompt, answer, tokenizer), prompt + "|" + answer);
        }
    }

    /** A tokenizer that splits at white space and drops it needs the space. */
    @Test
    void spacesThatAreNoTokens() {
        try (Tokenizer demo = Tokenizer.open(Path.of("models/demo"))) {
            assertEquals(" ", Join.AUTO.between("my favorite animal is the", "horse", demo));
        }
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            2+2=,   4,      ` `
            東,     京,     ` `
            `the `, no,     ``
            ``,     no,     ``
            the,    ``,     ``
            """)
    void always(String prompt, String answer, String between) {
        try (Tokenizer tokenizer = TestTokenizers.byteLevel(folder)) {
            assertEquals(between, Join.SPACE.between(prompt, answer, tokenizer));
            assertEquals("", Join.NONE.between(prompt, answer, tokenizer));
        }
    }
}
