package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

/** Many quads in one call: attribute 0 is per quad, its four corners come from the vertex number. */
final class Quads implements AutoCloseable {
    private final int floats;
    private final int array = glGenVertexArrays();
    private final int buffer = glGenBuffers();

    /** @param floats of attribute 0 */
    Quads(int floats) {
        this.floats = floats;
        glBindVertexArray(array);
        glBindBuffer(GL_ARRAY_BUFFER, buffer);
        glEnableVertexAttribArray(0);
        glVertexAttribPointer(0, floats, GL_FLOAT, false, 0, 0);
        glVertexAttribDivisor(0, 1);
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
