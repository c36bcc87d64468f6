package headscope.render.screen;

import static org.lwjgl.opengl.GL33C.*;
import static org.lwjgl.opengl.GL44C.GL_MAP_COHERENT_BIT;
import static org.lwjgl.opengl.GL44C.GL_MAP_PERSISTENT_BIT;
import static org.lwjgl.opengl.GL44C.glBufferStorage;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Pixel buffer objects through which values reach textures: the driver copies them while the next ones are written. From
 * OpenGL 4.4 on, what fits goes through a ring of sections that stay mapped; a section is written again once the transfers
 * from it have ended.
 */
final class PixelStream implements AutoCloseable {
    private static final int SECTIONS = 3;

    private final boolean persistent;
    private final int section; // bytes
    private final int single = glGenBuffers();
    private final int ring = glGenBuffers();
    private final ByteBuffer mapped;
    private final long[] ends = new long[SECTIONS]; // fences after the transfers from each section; 0: none
    private int place; // the first free byte of the ring
    private int offset;
    private boolean inRing; // the values that are being written

    /**
     * @param persistent needs OpenGL 4.4
     * @param section    in bytes
     */
    PixelStream(boolean persistent, int section) {
        this.persistent = persistent;
        this.section = section;
        if (persistent) {
            int access = GL_MAP_WRITE_BIT | GL_MAP_PERSISTENT_BIT | GL_MAP_COHERENT_BIT;
            glBindBuffer(GL_PIXEL_UNPACK_BUFFER, ring);
            glBufferStorage(GL_PIXEL_UNPACK_BUFFER, SECTIONS * section, access);
            mapped = glMapBufferRange(GL_PIXEL_UNPACK_BUFFER, 0, SECTIONS * section, access);
            glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 0);
        } else {
            mapped = ByteBuffer.allocate(0);
        }
    }

    /** Room for this many values; the pixel buffer stays bound until {@link #sent}. */
    FloatBuffer begin(int floats) {
        long bytes = (long) Float.BYTES * floats;
        inRing = persistent && bytes <= section;
        if (inRing) {
            glBindBuffer(GL_PIXEL_UNPACK_BUFFER, ring);
            offset = reserve((int) bytes);
            return mapped.slice(offset, (int) bytes).order(mapped.order()).asFloatBuffer();
        }
        offset = 0;
        glBindBuffer(GL_PIXEL_UNPACK_BUFFER, single);
        glBufferData(GL_PIXEL_UNPACK_BUFFER, bytes, GL_STREAM_DRAW); // a new store: does not wait for the last transfer
        return glMapBufferRange(GL_PIXEL_UNPACK_BUFFER, 0, bytes, GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT)
                .asFloatBuffer();
    }

    private int reserve(int bytes) {
        int current = (place - 1) / section; // that of the last byte that is taken
        if (place + bytes > (current + 1) * section) {
            ends[current] = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
            int next = (current + 1) % SECTIONS;
            place = next * section;
            if (ends[next] != 0) {
                while (glClientWaitSync(ends[next], GL_SYNC_FLUSH_COMMANDS_BIT, 1_000_000) == GL_TIMEOUT_EXPIRED) {
                    Thread.onSpinWait();
                }
                glDeleteSync(ends[next]);
                ends[next] = 0;
            }
        }
        int reserved = place;
        place += bytes;
        return reserved;
    }

    /** Ends writing; returns the offset of the values in the bound pixel buffer, in bytes. */
    long end() {
        if (!inRing) {
            glUnmapBuffer(GL_PIXEL_UNPACK_BUFFER);
        }
        return offset;
    }

    /** Called after the transfer to a texture has been issued. */
    void sent() {
        glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 0);
    }

    @Override
    public void close() {
        for (long end : ends) {
            if (end != 0) {
                glDeleteSync(end);
            }
        }
        glDeleteBuffers(single);
        glDeleteBuffers(ring);
    }
}
