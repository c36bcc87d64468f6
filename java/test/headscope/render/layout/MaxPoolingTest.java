package headscope.render.layout;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

class MaxPoolingTest {
    @Test
    void ignoresMissingValues() {
        float nan = Float.NaN;
        float[] values = {1, nan, 3, nan, nan, 0, 2, nan, nan, nan};
        assertArrayEquals(new float[] {3, 3}, pooled(values, new MaxPooling(2, 5, 1, 2)));
        assertArrayEquals(new float[] {1, 3, 3, nan, 2, 2, nan, nan}, pooled(values, new MaxPooling(2, 5, 2, 4)));
    }

    private static float[] pooled(float[] values, MaxPooling pooling) {
        float[] pooled = new float[pooling.pooledRows() * pooling.pooledColumns()];
        pooling.apply(values, pooled);
        return pooled;
    }
}
