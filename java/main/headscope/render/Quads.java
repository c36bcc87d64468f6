package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

/** Many quads in one call: attributes are per quad, its four corners come from the vertex number. */
final class Quads implements AutoCloseable {
    private final int floats;
    private final int array = glGenVertexArrays();
    private final int buffer = glGenBuffers();

    /** Attributes from number 0 on, of four floats each; the last may have fewer. @param floats of all of them */
    Quads(int floats) {
        this.floats = floats;
        glBindVertexArray(array);
        glBindBuffer(GL_ARRAY_BUFFER, buffer);
        for (int first = 0; first < floats; first += 4) {
            glEnableVertexAttribArray(first / 4);
            glVertexAttribPointer(first / 4, Math.min(4, floats - first), GL_FLOAT, false, Float.BYTES * floats,
                    (long) Float.BYTES * first);
            glVertexAttribDivisor(first / 4, 1);
        }
    }

    /** Draws with the current program, over what is there. */
    void draw(float[] attributes) {
        glBindVertexArray(array);
        glBindBuffer(GL_ARRAY_BUFFER, buffer);
        glBufferData(GL_ARRAY_BUFFER, attributes, GL_STREAM_DRAW);
        glEnable(GL_BLEND);
        glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
        glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, 4, attributes.length / floats);
    }

    @Override
    public void close() {
        glDeleteBuffers(buffer);
        glDeleteVertexArrays(array);
    }
}
