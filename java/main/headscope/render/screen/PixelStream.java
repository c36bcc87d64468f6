package headscope.render.screen;

import static org.lwjgl.opengl.GL33C.*;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** A pixel buffer object through which values reach textures: the driver copies them while the next ones are written. */
final class PixelStream implements AutoCloseable {
    private final int buffer = glGenBuffers();
    private ByteBuffer mapped = ByteBuffer.allocate(0);

    /** Room for this many values; the pixel buffer stays bound until {@link #sent}. */
    FloatBuffer begin(int floats) {
        long bytes = (long) Float.BYTES * floats;
        glBindBuffer(GL_PIXEL_UNPACK_BUFFER, buffer);
        glBufferData(GL_PIXEL_UNPACK_BUFFER, bytes, GL_STREAM_DRAW); // a new store: does not wait for the last transfer
        mapped = glMapBufferRange(GL_PIXEL_UNPACK_BUFFER, 0, bytes, GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT);
        return mapped.asFloatBuffer();
    }

    /** Ends writing; returns the offset of the values in the bound pixel buffer, in bytes. */
    long end() {
        glUnmapBuffer(GL_PIXEL_UNPACK_BUFFER);
        return 0;
    }

    /** Called after the transfer to a texture has been issued. */
    void sent() {
        glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 0);
    }

    @Override
    public void close() {
        glDeleteBuffers(buffer);
    }
}
