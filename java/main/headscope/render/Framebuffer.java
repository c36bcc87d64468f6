package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import java.nio.IntBuffer;
import org.lwjgl.system.MemoryUtil;

/** Off-screen framebuffer, RGBA with 8 bits per channel; current from its construction until it is closed. */
public final class Framebuffer implements AutoCloseable {
    private final int width;
    private final int height;
    private final int id = glGenFramebuffers();
    private final int color = glGenRenderbuffers();

    /** In pixels. */
    public Framebuffer(int width, int height) {
        this.width = width;
        this.height = height;
        glBindRenderbuffer(GL_RENDERBUFFER, color);
        glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, width, height);
        glBindFramebuffer(GL_FRAMEBUFFER, id);
        glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, color);
        int status = glCheckFramebufferStatus(GL_FRAMEBUFFER);
        if (status != GL_FRAMEBUFFER_COMPLETE) {
            close();
            throw new IllegalStateException("no framebuffer of %d x %d: 0x%04x".formatted(width, height, status));
        }
    }

    public boolean hasSize(int width, int height) {
        return this.width == width && this.height == height;
    }

    public Image read() {
        int[] argb = new int[width * height];
        IntBuffer pixels = MemoryUtil.memAllocInt(argb.length);
        glReadPixels(0, 0, width, height, GL_BGRA, GL_UNSIGNED_INT_8_8_8_8_REV, pixels);
        for (int y = 0; y < height; y++) {
            pixels.get((height - 1 - y) * width, argb, y * width, width); // OpenGL's rows start at the bottom
        }
        MemoryUtil.memFree(pixels);
        return new Image(width, height, argb);
    }

    @Override
    public void close() {
        glBindFramebuffer(GL_FRAMEBUFFER, 0);
        glDeleteFramebuffers(id);
        glDeleteRenderbuffers(color);
    }
}
