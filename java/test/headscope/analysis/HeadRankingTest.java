package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;

class HeadRankingTest {
    @Test
    void ordersByTheFirstValuesThenByTheNextThenByIndex() {
        double[] p = {0.5, 0.1, Double.NaN, 0.1, 0.1, 0.7};
        double[] next = {0, -1, -9, -2, -1, 0};
        assertEquals(List.of(3, 1, 4, 0, 5), HeadRanking.smallest(9, p, next));
        assertEquals(List.of(1, 3), HeadRanking.smallest(2, p));
        assertEquals(List.of(), HeadRanking.smallest(0, p));
    }

    @Test
    void namesHeadsByLayer() {
        assertEquals("1.2", HeadName.of(14, 12).toString());
        assertEquals("0.11", HeadName.of(11, 12).toString());
    }

    @Test
    void rejectsNegativeCounts() {
        HeadRanking.requireCount("--top", 0);
        assertEquals("--top must be at least 0, not -1",
                assertThrows(InputException.class, () -> HeadRanking.requireCount("--top", -1)).getMessage());
    }
}
