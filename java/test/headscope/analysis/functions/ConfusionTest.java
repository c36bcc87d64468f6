package headscope.analysis.functions;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ConfusionTest {
    /** Rows are true classes, columns predicted ones; the first of equal logits is predicted. */
    @Test
    void countsPredictions() {
        Confusion confusion = Confusion.of(
                new int[] {0, 0, 1, 2}, new float[] {3, 1, 2, 0, 5, 5, 1, 2, 0, -1, -2, -3}, 3);
        assertArrayEquals(new int[][] {{1, 1, 0}, {0, 1, 0}, {1, 0, 0}}, confusion.counts());
        assertEquals(0.5, confusion.accuracy());
        assertEquals(0.5, confusion.accuracy(0));
        assertEquals(1, confusion.accuracy(1));
        assertEquals(0, confusion.accuracy(2));
    }
}
