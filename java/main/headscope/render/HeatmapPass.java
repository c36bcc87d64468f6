package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import headscope.figure.ColorBar;
import headscope.figure.Colormap;
import headscope.figure.Mark;
import java.nio.ByteBuffer;
import org.lwjgl.system.MemoryUtil;

/** Draws {@link Mark.Heatmap}, and the colours of a bar as a map of one column. */
final class HeatmapPass implements AutoCloseable {
    private final Program program = new Program("heatmap");
    private final int array = glGenVertexArrays();
    private final int values = Texture.create();
    private final int colors = Texture.create();

    /** @param canvas the whole picture, at the origin */
    void draw(Box canvas, Box box, Mark.Heatmap map, ColorBar bar) {
        int rows = Math.min(map.rows(), box.height());
        int columns = Math.min(map.columns(), box.width());
        upload(rows, columns, reduce(map, rows, columns));
        upload(bar.colormap());
        program.use()
                .set("u_box", box)
                .set("u_canvas", canvas.width(), canvas.height())
                .set("u_cells", columns, rows)
                .set("u_range", bar.range().min(), bar.range().max())
                .setColor("u_missing", Colormap.MISSING)
                .setTexture("u_values", 0, values)
                .setTexture("u_colors", 1, colors);
        glDisable(GL_BLEND);
        glBindVertexArray(array);
        glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    }

    /** The bar's range from its foot to its top, a value per row of pixels. */
    void drawBar(Box canvas, Box box, ColorBar bar) {
        float[] ramp = new float[box.height()];
        double span = bar.range().max() - bar.range().min();
        for (int row = 0; row < ramp.length; row++) {
            ramp[row] = (float) (bar.range().max() - (row + 0.5) / ramp.length * span);
        }
        draw(canvas, box, new Mark.Heatmap(ramp.length, 1, ramp), bar);
    }

    /** The largest value of each block of cells [rows, columns]; NaN where a block has nothing else. */
    static float[] reduce(Mark.Heatmap map, int rows, int columns) {
        float[] cells = map.values();
        if (rows == map.rows() && columns == map.columns()) {
            return cells;
        }
        float[] largest = new float[rows * columns];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                float most = Float.NaN;
                for (int y = first(row, map.rows(), rows); y < last(row, map.rows(), rows); y++) {
                    for (int x = first(column, map.columns(), columns); x < last(column, map.columns(), columns); x++) {
                        float value = cells[y * map.columns() + x];
                        most = value > most || Float.isNaN(most) ? value : most; // NaN compares false
                    }
                }
                largest[row * columns + column] = most;
            }
        }
        return largest;
    }

    // A block is every cell that a pixel touches, so a cell on the border of two counts in both.
    private static int first(int block, int cells, int blocks) {
        return (int) ((long) block * cells / blocks);
    }

    private static int last(int block, int cells, int blocks) {
        return (int) (((long) (block + 1) * cells + blocks - 1) / blocks);
    }

    private void upload(int rows, int columns, float[] cells) {
        glActiveTexture(GL_TEXTURE0);
        glBindTexture(GL_TEXTURE_2D, values);
        glTexImage2D(GL_TEXTURE_2D, 0, GL_R32F, columns, rows, 0, GL_RED, GL_FLOAT, cells);
    }

    private void upload(Colormap colormap) {
        int[] rgb = colormap.colors();
        ByteBuffer texels = MemoryUtil.memAlloc(4 * rgb.length);
        for (int color : rgb) {
            texels.put((byte) (color >> 16)).put((byte) (color >> 8)).put((byte) color).put((byte) 255);
        }
        glActiveTexture(GL_TEXTURE0);
        glBindTexture(GL_TEXTURE_2D, colors);
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, rgb.length, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE, texels.flip());
        MemoryUtil.memFree(texels);
    }

    @Override
    public void close() {
        glDeleteTextures(colors);
        glDeleteTextures(values);
        glDeleteVertexArrays(array);
        program.close();
    }
}
