package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When an answer is the expected one. */
class ObserverTest {
    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
        "` Birch. `,birch", "`\"Paris\"!`,paris", "`U.S.A.`,usa", "`don't`,dont", "`« Élan »`,élan", "`1,000`,1000",
        "`two words`,`two words`", "`a - b`,`a  b`", "`?`,``", "`\t x \n`,x", "`IŞIK`,işik", "`¿Qué?`,qué"
    })
    void normalised(String answer, String expected) {
        assertEquals(expected, Observer.normalised(answer));
        assertEquals(expected, Observer.normalised(expected));
    }

    @Test
    void otherWordsStayOthers() {
        assertNotEquals(Observer.normalised("birch"), Observer.normalised("birches"));
        assertNotEquals(Observer.normalised("two words"), Observer.normalised("twowords"));
        assertNotEquals(Observer.normalised("10"), Observer.normalised("1"));
    }
}
