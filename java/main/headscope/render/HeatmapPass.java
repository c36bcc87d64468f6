package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import headscope.figure.ColorBar;
import headscope.figure.Colormap;
import headscope.figure.Mark;
import headscope.figure.MaxPooling;
import headscope.render.layout.Shape;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/** Draws {@link Mark.Heatmap}. Uploads each colour map once. */
final class HeatmapPass implements AutoCloseable {
    private final Program program = new Program("heatmap");
    private final int array = glGenVertexArrays(); // the core profile draws nothing without one
    private final Map<Colormap, Integer> colorTextures = new HashMap<>();

    /** @param canvas the whole picture, at the origin */
    Values call(Box canvas, Shape.Colors colors) {
        Values call = new Values(canvas, colors.box(), colors.pooling(), colors.bar());
        call.replace(colors.map().values());
        return call;
    }

    /** A heat map whose values can be replaced. The texture has at most one texel per pixel. */
    final class Values implements DrawCall {
        private final Box canvas;
        private final Box box;
        private final ColorBar bar;
        private final int colors;
        private final MaxPooling pooling;
        private final float[] pooled; // empty if every cell has a texel
        private final int texture = Texture.create();

        private Values(Box canvas, Box box, MaxPooling pooling, ColorBar bar) {
            this.canvas = canvas;
            this.box = box;
            this.bar = bar;
            this.pooling = pooling;
            pooled = new float[pooling.reduces() ? pooling.pooledRows() * pooling.pooledColumns() : 0];
            glTexImage2D(GL_TEXTURE_2D, 0, GL_R32F, pooling.pooledColumns(), pooling.pooledRows(), 0, GL_RED, GL_FLOAT,
                    (ByteBuffer) null);
            colors = colorTextures.computeIfAbsent(bar.colormap(), Texture::of);
        }

        /** @param values [rows, columns] of the map, row-major */
        void replace(float[] values) {
            int cells = pooling.rows() * pooling.columns();
            if (values.length != cells) {
                throw new IllegalArgumentException("%d values for a heat map of %d rows x %d columns"
                        .formatted(values.length, pooling.rows(), pooling.columns()));
            }
            if (pooled.length > 0) {
                pooling.apply(values, pooled);
            }
            glActiveTexture(GL_TEXTURE0);
            glBindTexture(GL_TEXTURE_2D, texture);
            glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, pooling.pooledColumns(), pooling.pooledRows(), GL_RED, GL_FLOAT,
                    pooled.length > 0 ? pooled : values);
        }

        @Override
        public void draw() {
            program.use(canvas)
                    .set("u_box", box)
                    .set("u_cells", pooling.pooledColumns(), pooling.pooledRows())
                    .set("u_range", bar.range().min(), bar.range().max())
                    .setColor("u_missing", Colormap.MISSING)
                    .setTexture("u_values", 0, texture)
                    .setTexture("u_colors", 1, colors);
            glDisable(GL_BLEND);
            glBindVertexArray(array);
            glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
        }

        @Override
        public void close() {
            glDeleteTextures(texture);
        }
    }

    @Override
    public void close() {
        colorTextures.values().forEach(texture -> glDeleteTextures(texture));
        glDeleteVertexArrays(array);
        program.close();
    }
}
