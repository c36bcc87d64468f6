package headscope.analysis.answers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import headscope.analysis.Entry;
import headscope.analysis.InputException;
import headscope.analysis.Text;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When an answer is the expected one. */
class MatchTest {
    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            ` Birch. `,     birch
            `"Paris"!`,     paris
            U.S.A.,         usa
            U.S.A,          USA
            e.g.,           eg
            don't,          dont
            don’t,          dont
            « Élan »,       élan
            E\u0301lan,     Élan
            `1,000`,        1000
            `12,345,678`,   12345678
            two\u00A0 words, two words
            a - b,          a b
            - Paris,        paris
            well-known,     wellknown
            **Paris**,      paris
            `\t x \n`,      x
            IŞIK,           işik
            ¿Qué?,          qué
            ten!,           ten
            (A),            a
            `Paris, France`, paris france
            −5,             -5
            –5,             -5
            5 %,            5%
            $ 5,            $5
            3.14.,          3.14
            「東京」。,     東京
            "...",          "..."
            """)
    void rightIfNormalised(String answer, String expected) {
        assertTrue(Match.NORMALISED.accepts(answer, List.of(expected)), NormalisedAnswer.of(answer).text());
        assertTrue(Match.NORMALISED.accepts(expected, List.of(answer)), NormalisedAnswer.of(expected).text());
        assertEquals(NormalisedAnswer.of(answer), NormalisedAnswer.of(NormalisedAnswer.of(answer).text()));
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            birch,          birches
            two words,      twowords
            10,             1
            -5,             5
            - 5,            5
            +5,             5
            -eleven,        eleven
            -.5,            .5
            .5,             5
            3.14,           314
            3.14,           3 14
            t.hree,         three
            `3,14`,         314
            `1,5`,          15
            1/2,            12
            1:30,           130
            2*3,            23
            2 * 3,          2 3
            2:3,            2 3
            5-3,            53
            5 - 3,          5 3
            2^3,            23
            x²,             x2
            $16,            16
            €16,            $16
            1%,             1
            1‰,             1%
            20°,            20
            <6,             6
            <6,             >6
            ≤6,             <6
            x != 1,         x = 1
            ±1,             1
            ~1,             1
            6'2,            62
            C#,             C
            C++,            C
            A+,             A
            A-,             A
            A&B,            AB
            a@b,            ab
            ?,              ``
            ?,              !
            `...`,          ``
            +,              -
            """)
    void wrongIfNormalised(String answer, String expected) {
        assertFalse(Match.NORMALISED.accepts(answer, List.of(expected)), NormalisedAnswer.of(answer).text());
        assertFalse(Match.NORMALISED.accepts(expected, List.of(answer)), NormalisedAnswer.of(expected).text());
    }

    @Test
    void emptyAnswers() {
        assertTrue(Match.NORMALISED.accepts(" ", List.of("")));
        assertTrue(Match.EXACT.accepts("\n", List.of("")));
        assertTrue(Match.CONTAINS.accepts("", List.of("")));
        assertFalse(Match.CONTAINS.accepts("paris", List.of("")));
    }

    @Test
    void exact() {
        assertTrue(Match.EXACT.accepts("Paris", List.of(" Paris\n")));
        assertFalse(Match.EXACT.accepts("Paris.", List.of("Paris")));
        assertFalse(Match.EXACT.accepts("paris", List.of("Paris")));
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            `It is Paris, of course.`,  paris,          true
            Paris,                      paris,          true
            comparison,                 paris,          false
            the Paris of the north,     `Paris, of`,    true
            the answer is -5,           5,              false
            the answer is 3.5,          5,              false
            the answer is 5.,           5,              true
            15 or 5,                    5,              true
            日本の首都は東京です。,     東京,           true
            """)
    void contains(String answer, String expected, boolean right) {
        assertEquals(right, Match.CONTAINS.accepts(answer, List.of(expected)));
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            `Paris, of course.`,        paris,          true
            paris,                      `Paris.`,       true
            Parisian,                   paris,          false
            It is Paris,                paris,          false
            5.5,                        5,              false
            5. That is,                 5,              true
            東京です,                   東京,           true
            anything,                   ?,              false
            anything,                   ``,             false
            """)
    void prefix(String answer, String expected, boolean right) {
        assertEquals(right, Match.PREFIX.accepts(answer, List.of(expected)));
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', textBlock = """
            It is 42.,          4\\d,              true
            It is 52.,          4\\d,              false
            Paris,              paris,             false
            Paris,              (?i)paris,         true
            ` Paris\n`,         ^Paris$,           true
            It is Paris,        ^Paris,            false
            straße,             stra(ß|ss)e,       true
            東京,               ^\\p{Han}+$,       true
            """)
    void regex(String answer, String expected, boolean right) {
        assertEquals(right, Match.REGEX.accepts(answer, List.of(expected)));
    }

    /** Backtracking would take 2^64 steps. */
    @Test
    void regexTakesLinearTime() {
        assertFalse(Match.REGEX.accepts("a".repeat(64) + "!", List.of("^(a+)+$", "^(a|aa)+$", "(.*a){40}b")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            a(b        | missing closing ) at character 1, "a(b"
            a[b        | missing closing ] at character 2, "[b"
            x**        | invalid nested repetition operator at character 2, "**"
            (a)\\1     | invalid escape sequence at character 4, "\\1"
            a(?=b)     | invalid or unsupported Perl syntax at character 2, "(?="
            """)
    void malformedExpressions(String expression, String rule) {
        Text.Question text = new Text.Question(new Entry("f", "line 3", JsonNodeFactory.instance.objectNode()), "a",
                List.of("right", expression), Optional.empty(), OptionalInt.empty());
        String message = assertThrows(InputException.class, () -> Match.REGEX.requireUsable(text)).getMessage();
        assertTrue(message.startsWith("f: line 3: the answer \"%s\" is not a regular expression: %s".formatted(expression, rule)), message);
        Match.CONTAINS.requireUsable(text);
    }

    @Test
    void anEmptyExpressionIsRejected() {
        Text.Question text = new Text.Question(new Entry("f", "line 3", JsonNodeFactory.instance.objectNode()), "a",
                List.of("right", ""), Optional.empty(), OptionalInt.empty());
        assertEquals("f: line 3: an answer is empty, and as a regular expression accepts every answer; ^$ accepts only an empty one",
                assertThrows(InputException.class, () -> Match.REGEX.requireUsable(text)).getMessage());
        Match.EXACT.requireUsable(text);
    }

    @Test
    void oneOfSeveral() {
        for (Match match : Match.values()) {
            assertTrue(match.accepts("4", List.of("four", "4")));
            assertFalse(match.accepts("5", List.of("four", "4")));
        }
    }
}
