package headscope.render;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.lwjgl.opengl.GL33C.*;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ShaderTest {
    private static final Path FOLDER = Path.of("shaders");

    @Test
    void everyPairCompilesAndLinks() throws IOException {
        Set<String> names = files().stream()
                .map(file -> file.replaceFirst("\\..*", ""))
                .collect(Collectors.toSet());
        assertEquals(2 * names.size(), files().size(), "a .vert and a .frag each");
        OffscreenContext context = OffscreenContext.open();
        try {
            names.forEach(name -> new Program(name).close());
        } finally {
            context.close();
        }
    }

    /** WebGL2 draws with the same sources. Mesa compiles GLSL ES 3.00 in a desktop context (GL_ARB_ES3_compatibility). */
    @Test
    void cellsCompileAsGlslEs() throws IOException {
        OffscreenContext context = OffscreenContext.open();
        try {
            for (String file : List.of("cells.vert", "cells.frag")) {
                String source = Files.readString(FOLDER.resolve(file)).replace("#version 330 core\n", """
                        #version 300 es
                        precision highp float;
                        precision highp int;
                        precision highp sampler2DArray;
                        """);
                int shader = glCreateShader(file.endsWith("vert") ? GL_VERTEX_SHADER : GL_FRAGMENT_SHADER);
                glShaderSource(shader, source);
                glCompileShader(shader);
                assertEquals(GL_TRUE, glGetShaderi(shader, GL_COMPILE_STATUS), glGetShaderInfoLog(shader));
            }
        } finally {
            context.close();
        }
    }

    @Test
    void everyShaderStartsWithItsContract() throws IOException {
        for (String file : files()) {
            List<String> lines = Files.readAllLines(FOLDER.resolve(file));
            assertEquals("#version 330 core", lines.get(0), file);
            assertTrue(lines.get(1).startsWith("// "), file);
        }
    }

    private static List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
