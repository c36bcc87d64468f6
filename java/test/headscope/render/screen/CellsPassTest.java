package headscope.render.screen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.lwjgl.opengl.GL33C.glViewport;

import headscope.Seed;
import headscope.figure.Colormap;
import headscope.figure.Range;
import headscope.render.Box;
import headscope.render.Framebuffer;
import headscope.render.Image;
import headscope.render.OffscreenContext;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lwjgl.opengl.GL;

/** The shader's pixels against plain loops over the cells that each pixel covers. */
final class CellsPassTest {
    private static final int WIDTH = 200;
    private static final int HEIGHT = 150;
    private static final int HIDDEN = 0x123456;
    private static final int EMPTY = 0x654321;

    /** Pixels at whose edges a cell begins, up to the rounding of floats. */
    private static final double ROUNDED = 0.004;

    private static OffscreenContext context;
    private static Framebuffer framebuffer;

    private final Random random = Seed.random("cells");

    @BeforeAll
    static void open() {
        context = OffscreenContext.open();
        framebuffer = new Framebuffer(WIDTH, HEIGHT);
        glViewport(0, 0, WIDTH, HEIGHT);
    }

    @AfterAll
    static void close() {
        framebuffer.close();
        context.close();
    }

    /** Few large cells, one cell a pixel, several a pixel, many, zoomed; textures that are too small for a row of heads. */
    @ParameterizedTest
    @CsvSource({
        "2, 3, 5, 5, 60.3, 2, 1024, 0, false", "2, 3, 20, 17, 41.7, 1, 1024, 0, false",
        "3, 4, 40, 40, 31.3, 2, 1024, 0, false", "3, 4, 40, 37, 31.3, 2, 128, 1, true",
        "5, 6, 64, 64, 20.9, 1, 1024, 0, true", "5, 6, 64, 64, 20.9, 1, 1024, 1, false",
        "1, 1, 100, 100, 700.7, 0, 1024, 0, true", "1, 1, 100, 99, 99.1, 0, 1024, 1, false", "9, 9, 1, 1, 11.3, 1, 1024, 0, false"})
    void equalsPlainLoops(
            int layers, int heads, int side, int cells, double pitch, double gap, int maxSide, int first, boolean log) {
        CellValues values = values(layers, heads, side);
        int limit = Math.max(maxSide, 2 * side);
        try (CellsPass pass = new CellsPass(limit, new PixelStream(false, 1))) {
            for (int[] line : new int[][] {{-1, -1}, {-1, cells / 2}, {cells / 2, -1}}) {
                int shownFirst = line[0] < 0 ? first : 0;
                compare(pass, new Scene.Cells(values, cells, new Box(10, 8, 180, 130), 3.3, 7.1, pitch, gap, shownFirst,
                        line[0], line[1], scale(log), HIDDEN, EMPTY));
            }
        }
    }

    /** Through mapped buffers whose sections are written again and again, and with OpenGL 3.3 alone. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void followsChangedRows(boolean persistent) {
        CellValues values = values(3, 4, 40);
        try (CellsPass pass = new CellsPass(
                1024, new PixelStream(persistent && GL.getCapabilities().OpenGL44, 1 << 14))) {
            for (int round = 2; round < 50; round++) {
                int layer = random.nextInt(3);
                int first = random.nextInt(40);
                for (int row = first; row < Math.min(40, first + 1 + random.nextInt(40)); row++) {
                    values.changed()[layer * 40 + row] = round;
                    for (int head = 0; head < 4; head++) {
                        for (int column = 0; column < 40; column++) {
                            values.values()[((layer * 4 + head) * 40 + row) * 40 + column] = random.nextFloat();
                        }
                    }
                }
                compare(pass, new Scene.Cells(values, 40, new Box(0, 0, WIDTH, HEIGHT), 0, 0, 31.3, 2, 0, -1, -1,
                        scale(false), HIDDEN, EMPTY));
            }
        }
    }

    @Test
    void aLargerMapReplacesASmallerOne() {
        try (CellsPass pass = new CellsPass(1024, new PixelStream(false, 1))) {
            for (int side : new int[] {1, 2, 3, 9, 4}) {
                CellValues values = values(1, 1, side);
                Arrays.fill(values.changed(), 10 + side + (side == 4 ? 100 : 0));
                compare(pass, new Scene.Cells(values, side, new Box(0, 0, WIDTH, HEIGHT), 0, 0, 149.3, 0, 0, -1, -1,
                        scale(false), HIDDEN, EMPTY));
            }
        }
    }

    private static Scene.Scale scale(boolean log) {
        return new Scene.Scale(Colormap.magma(), new Range(log ? 1e-4 : 0, 1), log);
    }

    private CellValues values(int layers, int heads, int side) {
        float[] values = new float[layers * heads * side * side];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(300) == 0 ? Float.NaN : (float) Math.pow(random.nextDouble(), 6);
        }
        long[] changed = new long[layers * side];
        Arrays.fill(changed, 1);
        return new CellValues("test", layers, heads, side, values, changed);
    }

    private static void compare(CellsPass pass, Scene.Cells cells) {
        pass.draw(new Box(0, 0, WIDTH, HEIGHT), cells);
        Image image = framebuffer.read();
        int wrong = 0;
        Box box = cells.box();
        for (int y = box.y(); y < box.bottom(); y++) {
            for (int x = box.x(); x < box.right(); x++) {
                int expected = expected(cells, x - box.x() + 0.5 + cells.originX(), y - box.y() + 0.5 + cells.originY());
                wrong += near(expected, image.argb()[y * WIDTH + x]) ? 0 : 1;
            }
        }
        assertTrue(wrong <= ROUNDED * box.width() * box.height(), "%d pixels of %s".formatted(wrong, box));
    }

    /** Up to the neighbouring colour of the map. */
    private static boolean near(int rgb, int other) {
        return Math.abs((rgb >> 16 & 255) - (other >> 16 & 255)) <= 4 && Math.abs((rgb >> 8 & 255) - (other >> 8 & 255)) <= 4
                && Math.abs((rgb & 255) - (other & 255)) <= 4;
    }

    private static int expected(Scene.Cells cells, double x, double y) {
        CellValues values = cells.values();
        int head = (int) Math.floor(x / cells.pitch());
        int layer = (int) Math.floor(y / cells.pitch());
        double side = cells.pitch() - cells.gap();
        double right = x - head * cells.pitch();
        double down = y - layer * cells.pitch();
        if (head >= values.heads() || layer >= values.layers() || right >= side || down >= side) {
            return EMPTY;
        }
        double reach = cells.cells() / side;
        boolean coarse = reach >= 2 && cells.first() == 0 && cells.column() < 0 && cells.row() < 0;
        int level = coarse ? (int) Math.floor(Math.log(reach) / Math.log(2)) : 0;
        int[] columns = span(right * reach, reach, cells.cells(), cells.column(), level);
        int[] rows = span(down * reach, reach, cells.cells(), cells.row(), level);
        if (columns[1] < cells.first()) {
            return HIDDEN;
        }
        float largest = Float.NEGATIVE_INFINITY;
        for (int row = rows[0]; row <= Math.min(rows[1], values.side() - 1); row++) {
            for (int column = Math.max(columns[0], cells.first()); column <= Math.min(columns[1], values.side() - 1); column++) {
                largest = Math.max(largest, values.values()[
                        ((layer * values.heads() + head) * values.side() + row) * values.side() + column]);
            }
        }
        Range range = cells.scale().range();
        return cells.scale().colormap().at(cells.scale().log()
                ? Math.log(Math.max(largest, range.min()) / range.min()) / Math.log(range.max() / range.min())
                : range.fraction(largest));
    }

    /** The first and the last cell that a pixel touches, in blocks of 2^level. */
    private static int[] span(double middle, double reach, int cells, int only, int level) {
        if (only >= 0) {
            return new int[] {only, only};
        }
        double margin = reach > 1 ? reach / 2 : 0;
        int first = Math.clamp((long) Math.floor(middle - margin), 0, cells - 1);
        int last = reach > 1 ? Math.clamp((long) Math.ceil(middle + margin) - 1, first, cells - 1) : first;
        return new int[] {first >> level << level, ((last >> level) + 1 << level) - 1};
    }

    @Test
    void tooManyHeadsAreRefused() {
        CellValues values = values(1, 9, 4);
        try (CellsPass pass = new CellsPass(8, new PixelStream(false, 1))) {
            IllegalArgumentException problem = assertThrows(
                    IllegalArgumentException.class, () -> compare(pass, new Scene.Cells(values, 4, new Box(0, 0, 9, 9), 0, 0, 9, 1, 0,
                            -1, -1, scale(false), HIDDEN, EMPTY)));
            assertEquals("9 heads of 4 x 4 cells do not fit into a texture of 8 x 8", problem.getMessage());
        }
    }
}
