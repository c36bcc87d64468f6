package headscope.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

final class TokenMapTest {
    private static final TokenGroup FIRST = new TokenGroup("<ENV>", 0, 1);
    private static final TokenGroup SECOND = new TokenGroup("<LAN>", 1, 2);

    @Test
    void copiesItsValues() {
        float[] values = {1, 0, 0, 1};
        TokenMap map = map(List.of(FIRST, SECOND), values);
        values[0] = 7;
        map.values()[3] = 7;
        assertEquals(2, map.values()[0] + map.values()[3]);
    }

    @Test
    void rejectsInvalidMaps() {
        rejects(List.of(), new float[3]);
        rejects(List.of(), new float[] {0, Float.NaN, 0, 0});
        rejects(List.of(SECOND, FIRST), new float[4]);
        rejects(List.of(new TokenGroup("all", 0, 3)), new float[4]);
        rejects(List.of(new TokenGroup("all", 0, 2), SECOND), new float[4]);
        assertThrows(IllegalArgumentException.class, () -> new TokenGroup("none", 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new TokenGroup("before", -1, 1));
    }

    private static void rejects(List<TokenGroup> groups, float[] values) {
        assertThrows(IllegalArgumentException.class, () -> map(groups, values));
    }

    private static TokenMap map(List<TokenGroup> groups, float[] values) {
        return new TokenMap("", "saliency", List.of("a", "b"), groups, values);
    }
}
