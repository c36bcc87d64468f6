package headscope.render.screen;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Seed;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MaxPyramidTest {
    private static final int MAPS = 3;

    @ParameterizedTest
    @CsvSource({"1, 1", "2, 2", "5, 8", "8, 8", "33, 64"})
    void levelsHoldTheLargestOfTheirCells(int side, int slot) {
        Random random = Seed.random("pyramid");
        float[] values = new float[MAPS * side * side];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        MaxPyramid pyramid = new MaxPyramid(MAPS, slot);
        for (int map = 0; map < MAPS; map++) {
            pyramid.update(values, map, side, 0, side);
        }
        // only the changed row is given again
        int row = side / 2;
        values[(side + row) * side] = 7;
        values[(side + row) * side + side - 1] = Float.NaN;
        pyramid.update(values, 1, side, row, row + 1);
        for (int level = 1; level <= pyramid.last(); level++) {
            assertArrayEquals(level(values, side, slot, level), pyramid.level(level), "level " + level);
        }
        assertEquals(1 << pyramid.last(), slot);
    }

    private static float[] level(float[] values, int side, int slot, int level) {
        int length = slot >> level;
        float[] largest = new float[MAPS * length * length];
        Arrays.fill(largest, 0);
        for (int i = 0; i < values.length; i++) {
            int cell = (i / (side * side) * length + (i / side % side >> level)) * length + (i % side >> level);
            largest[cell] = Math.max(largest[cell], values[i]);
        }
        return largest;
    }
}
