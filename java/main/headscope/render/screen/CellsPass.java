package headscope.render.screen;

import static org.lwjgl.opengl.GL33C.*;

import headscope.figure.Colormap;
import headscope.render.Box;
import headscope.render.Program;
import headscope.render.Texture;
import java.util.HashMap;
import java.util.Map;
import org.lwjgl.opengl.GL;

/** Draws {@link Scene.Cells}: one draw call per grid, whatever its size. */
final class CellsPass implements AutoCloseable {
    private static final int SECTION = 1 << 20; // a new token of 1,024 heads with 64 x 64 cells takes 0.5 MiB

    private final Program program = new Program("cells");
    private final int array = glGenVertexArrays(); // the core profile draws nothing without one
    private final int maxSide;
    private final PixelStream pixels;
    private final Map<String, CellTexture> textures = new HashMap<>();
    private final Map<Colormap, Integer> colors = new HashMap<>();

    CellsPass() {
        this(glGetInteger(GL_MAX_TEXTURE_SIZE), new PixelStream(GL.getCapabilities().OpenGL44, SECTION));
    }

    /** @param maxSide largest side of a texture, in texels */
    CellsPass(int maxSide, PixelStream pixels) {
        this.maxSide = maxSide;
        this.pixels = pixels;
    }

    void draw(Box canvas, Scene.Cells cells) {
        CellValues values = cells.values();
        CellTexture texture = texture(values);
        texture.update(values, pixels);
        Scene.Scale scale = cells.scale();
        program.use(canvas)
                .set("u_box", cells.box())
                .set("u_origin", cells.originX(), cells.originY())
                .setIntegers("u_grid", values.heads(), values.layers())
                .set("u_pitch", cells.pitch())
                .set("u_gap", cells.gap())
                .setIntegers("u_slots", texture.slot(), texture.slotsPerRow(), texture.lastLevel())
                .setInteger("u_cells", cells.cells())
                .setInteger("u_first", cells.first())
                .setIntegers("u_line", cells.column(), cells.row())
                .set("u_range", scale.range().min(), scale.range().max())
                .setInteger("u_log", scale.log() ? 1 : 0)
                .setColor("u_missing", Colormap.MISSING)
                .setColor("u_hidden", cells.hidden())
                .setColor("u_empty", cells.empty())
                .setTextureArray("u_values", 0, texture.id())
                .setTexture("u_colors", 1, colors.computeIfAbsent(scale.colormap(), Texture::of));
        glDisable(GL_BLEND);
        glBindVertexArray(array);
        glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    }

    private CellTexture texture(CellValues values) {
        CellTexture known = textures.get(values.name());
        if (known != null && known.fits(values)) {
            return known;
        }
        if (known != null) {
            known.close();
        }
        CellTexture next = new CellTexture(values.layers(), values.heads(), values.side(), maxSide);
        textures.put(values.name(), next);
        return next;
    }

    long bytes() {
        return textures.values().stream().mapToLong(CellTexture::bytes).sum();
    }

    @Override
    public void close() {
        colors.values().forEach(texture -> glDeleteTextures(texture));
        textures.values().forEach(CellTexture::close);
        pixels.close();
        glDeleteVertexArrays(array);
        program.close();
    }
}
