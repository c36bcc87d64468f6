package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import headscope.figure.Colormap;
import java.nio.ByteBuffer;
import org.lwjgl.system.MemoryUtil;

/** Textures with nearest filtering and one level. */
public final class Texture {
    private Texture() {}

    /** Creates a texture and binds it to the active unit. */
    static int create() {
        int id = glGenTextures();
        glBindTexture(GL_TEXTURE_2D, id);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 0);
        return id;
    }

    /** The colours of a map, n x 1, RGBA8; bound to the active unit. */
    public static int of(Colormap colormap) {
        int[] rgb = colormap.colors();
        ByteBuffer texels = MemoryUtil.memAlloc(4 * rgb.length);
        for (int color : rgb) {
            texels.put((byte) (color >> 16)).put((byte) (color >> 8)).put((byte) color).put((byte) 255);
        }
        int texture = create();
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, rgb.length, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE, texels.flip());
        MemoryUtil.memFree(texels);
        return texture;
    }
}
