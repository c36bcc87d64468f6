package headscope.live.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code live} where it cannot open a window. */
final class NoDisplayTest {
    @TempDir
    Path folder;

    private String rejected(String display, String... options) throws IOException, InterruptedException {
        ChildJvm.Result result = ChildJvm.run(folder, Map.of("DISPLAY", display, "WAYLAND_DISPLAY", ""), "",
                Stream.concat(Stream.of("headscope.Main", "live", "--device", "cpu"), Stream.of(options)).toList());
        assertEquals(2, result.status(), result.err());
        assertEquals("", result.out());
        assertEquals(1, result.err().lines().count(), result.err());
        return result.err();
    }

    @Test
    void aMachineWithoutDisplayIsRefusedBeforeTheModelIsRead() throws IOException, InterruptedException {
        String line = rejected("", "--model", "models/none", "--prompt", "a");
        assertTrue(line.contains("DISPLAY") && line.contains("--serve PORT") && line.contains("--headless"), line);
    }

    @Test
    void aDisplayThatCannotBeOpenedIsRefused() throws IOException, InterruptedException {
        String line = rejected(":9999", "--model", "models/demo", "--prompt", "the capital");
        assertTrue(line.contains("no window on this display"), line);
    }

    @Test
    void invalidInputIsRefusedBeforeAWindowOpens() throws IOException, InterruptedException {
        assertTrue(rejected(":9999").contains("--model is missing"));
        assertTrue(rejected(":9999", "--demo", "--prompt", "").contains("--prompt is empty"));
        assertTrue(rejected(":9999", "--demo", "--size", "10x10").contains("--size"));
        assertTrue(rejected(":9999", "--demo", "--prompt", "the capital ".repeat(100)).contains("the model takes at most 128"));
    }
}
