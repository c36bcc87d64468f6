package headscope.render;

/** One OpenGL draw call together with the buffers and textures that it reads. */
public interface DrawCall extends AutoCloseable {
    /** Draws over the current framebuffer. */
    void draw();

    @Override
    void close();
}
