package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

/** Many quads in one draw call: attributes are per quad, the vertex number selects one of its four corners. */
public final class Quads implements DrawCall {
    private final int floats;
    private final Runnable useProgram;
    private final int array = glGenVertexArrays();
    private final int buffer = glGenBuffers();
    private int count;

    /**
     * Uploads the attributes. Their locations count from 0; each has four floats, the last may have fewer.
     *
     * @param floats     floats per quad
     * @param attributes [quads, floats], row-major
     * @param useProgram makes a program current and sets its uniforms
     */
    public Quads(int floats, float[] attributes, Runnable useProgram) {
        this.floats = floats;
        this.useProgram = useProgram;
        glBindVertexArray(array);
        replace(attributes);
        for (int first = 0; first < floats; first += 4) {
            glEnableVertexAttribArray(first / 4);
            glVertexAttribPointer(first / 4, Math.min(4, floats - first), GL_FLOAT, false, Float.BYTES * floats,
                    (long) Float.BYTES * first);
            glVertexAttribDivisor(first / 4, 1);
        }
    }

    /** Uploads other attributes, of any number of quads. */
    public void replace(float[] attributes) {
        count = attributes.length / floats;
        glBindBuffer(GL_ARRAY_BUFFER, buffer);
        glBufferData(GL_ARRAY_BUFFER, attributes, GL_STATIC_DRAW);
    }

    @Override
    public void draw() {
        useProgram.run();
        glBindVertexArray(array);
        glEnable(GL_BLEND);
        glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
        glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, 4, count);
    }

    @Override
    public void close() {
        glDeleteBuffers(buffer);
        glDeleteVertexArrays(array);
    }
}
