package headscope.render;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
