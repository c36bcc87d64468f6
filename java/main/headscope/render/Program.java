package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** A linked program of a vertex and a fragment shader that share a name. */
public final class Program implements AutoCloseable {
    private final String name;
    private final int id;
    private final Map<String, Integer> locations = new HashMap<>();

    /** @param name selects {@code shaders/<name>.vert} and {@code shaders/<name>.frag} */
    public Program(String name) {
        this.name = name;
        id = glCreateProgram();
        int vertex = compile(GL_VERTEX_SHADER, name + ".vert");
        int fragment = compile(GL_FRAGMENT_SHADER, name + ".frag");
        glAttachShader(id, vertex);
        glAttachShader(id, fragment);
        glLinkProgram(id);
        glDeleteShader(vertex);
        glDeleteShader(fragment);
        if (glGetProgrami(id, GL_LINK_STATUS) == GL_FALSE) {
            throw new IllegalStateException("%s does not link: %s".formatted(name, glGetProgramInfoLog(id)));
        }
    }

    /** Makes this program current and sets {@code u_canvas}, which every vertex shader has; returns this program. */
    public Program use(Box canvas) {
        glUseProgram(id);
        return set("u_canvas", canvas.width(), canvas.height());
    }

    public Program set(String uniform, double x) {
        glUniform1f(location(uniform), (float) x);
        return this;
    }

    public Program set(String uniform, double x, double y) {
        glUniform2f(location(uniform), (float) x, (float) y);
        return this;
    }

    public Program set(String uniform, Box box) {
        glUniform4f(location(uniform), box.x(), box.y(), box.width(), box.height());
        return this;
    }

    public Program setInteger(String uniform, int x) {
        glUniform1i(location(uniform), x);
        return this;
    }

    public Program setIntegers(String uniform, int x, int y) {
        glUniform2i(location(uniform), x, y);
        return this;
    }

    public Program setIntegers(String uniform, int x, int y, int z) {
        glUniform3i(location(uniform), x, y, z);
        return this;
    }

    /** @param rgb 0xRRGGBB */
    public Program setColor(String uniform, int rgb) {
        glUniform3f(location(uniform), (rgb >> 16 & 255) / 255f, (rgb >> 8 & 255) / 255f, (rgb & 255) / 255f);
        return this;
    }

    /** Binds a texture to a texture unit, and a sampler to that unit. */
    public Program setTexture(String uniform, int unit, int texture) {
        return setTexture(uniform, unit, GL_TEXTURE_2D, texture);
    }

    /** The same for an array of textures. */
    public Program setTextureArray(String uniform, int unit, int texture) {
        return setTexture(uniform, unit, GL_TEXTURE_2D_ARRAY, texture);
    }

    private Program setTexture(String uniform, int unit, int target, int texture) {
        glActiveTexture(GL_TEXTURE0 + unit);
        glBindTexture(target, texture);
        glUniform1i(location(uniform), unit);
        return this;
    }

    @Override
    public void close() {
        glDeleteProgram(id);
    }

    private int location(String uniform) {
        return locations.computeIfAbsent(uniform, _ -> {
            int location = glGetUniformLocation(id, uniform);
            if (location < 0) {
                throw new IllegalStateException("%s has no uniform %s".formatted(name, uniform));
            }
            return location;
        });
    }

    private static int compile(int kind, String file) {
        int shader = glCreateShader(kind);
        glShaderSource(shader, source(file));
        glCompileShader(shader);
        if (glGetShaderi(shader, GL_COMPILE_STATUS) == GL_FALSE) {
            throw new IllegalStateException("%s does not compile: %s".formatted(file, glGetShaderInfoLog(shader)));
        }
        return shader;
    }

    private static String source(String file) {
        try (InputStream in = Program.class.getResourceAsStream("/shaders/" + file)) {
            if (in == null) {
                throw new IllegalStateException("no shader " + file);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException problem) {
            throw new UncheckedIOException(file, problem);
        }
    }
}
