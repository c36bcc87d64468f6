package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.Tolerance;
import headscope.backend.Backend;
import headscope.backend.DeviceMemoryException;
import headscope.backend.Devices;
import org.junit.jupiter.api.Test;

/** Tables grow with the texts, and stay usable if there is no memory for longer ones. */
class RopeTablesTest {
    private static final Rope ROPE = new Rope(10_000, 2, new Rope.Unscaled());

    @Test
    void tablesGrowByPowersOfTwo() {
        try (Backend backend = Backend.open("cpu:1"); RopeTables tables = new RopeTables(backend)) {
            for (int tokens : new int[] {1, 256, 257, 512, 513}) {
                float[] cosine = backend.download(tables.angles(ROPE, 0, tokens).cosine());
                assertEquals(tokens, cosine.length);
                for (int position = 0; position < tokens; position++) {
                    assertEquals(Math.cos(position), cosine[position], Tolerance.stored(1));
                }
                assertEquals(Float.BYTES * 2 * Math.max(256, 256 << (tokens - 1) / 256), backend.liveBytes());
            }
            assertEquals(3, tables.moves());
        }
    }

    @Test
    void aShorterTextFitsAfterALongOneDidNot() {
        try (Backend backend = Devices.emulated(Float.BYTES * 3L * 256); RopeTables tables = new RopeTables(backend)) {
            float[] expected = backend.download(tables.angles(ROPE, 0, 9).sine());
            assertThrows(DeviceMemoryException.class, () -> tables.angles(ROPE, 0, 300));
            assertEquals(0, backend.liveBytes());
            assertArrayEquals(expected, backend.download(tables.angles(ROPE, 0, 9).sine()));
        }
    }
}
