package headscope.figure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;

class MaxPoolingTest {
    @Test
    void ignoresMissingValues() {
        float nan = Float.NaN;
        float[] values = {1, nan, 3, nan, nan, 0, 2, nan, nan, nan};
        assertArrayEquals(new float[] {3, 3}, pooled(values, new MaxPooling(2, 5, 1, 2, true)));
        assertArrayEquals(new float[] {1, 3, 3, nan, 2, 2, nan, nan}, pooled(values, new MaxPooling(2, 5, 2, 4, true)));
    }

    /** Five tokens in two cells of two and three; the last cell has the last token, however many there are. */
    @Test
    void everyTokenLiesInOneCell() {
        float[] values = new float[25];
        values[3 * 5 + 1] = 1;
        values[4 * 5 + 4] = 2;
        MaxPooling pooling = MaxPooling.ofTokens(new Mark.Heatmap(5, 5, values), 2, 2);
        assertArrayEquals(new float[] {0, 0, 1, 2}, pooled(values, pooling));
        assertEquals("A cell of the token map shows the largest value of up to 3 x 3 tokens.", pooling.note());
        for (int cells = 1; cells <= 8001; cells += 13) {
            assertEquals(0, MaxPooling.first(0, 8001, cells));
            assertEquals(8001, MaxPooling.first(cells, 8001, cells));
        }
        assertFalse(MaxPooling.ofTokens(new Mark.Heatmap(5, 5, values), 9, 5).reduces());
    }

    private static float[] pooled(float[] values, MaxPooling pooling) {
        float[] pooled = new float[pooling.pooledRows() * pooling.pooledColumns()];
        pooling.apply(values, pooled);
        return pooled;
    }
}
