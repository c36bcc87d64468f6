package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.result.HeadMap;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** docs/library.md shows the source of {@link LibraryExample}, which works as the page says. */
final class LibraryDocumentationTest {
    private static final Path DEMO = Path.of("models/demo");
    private static final List<String> PAINTED = sentences("<CHI> painted a picture of a %s <CHI> my favorite animal is the");
    private static final List<String> FAVORITE = sentences("<CHI> my favorite animal is the %s");

    @TempDir
    Path folder;

    private static List<String> sentences(String pattern) {
        return Stream.of("horse", "cow", "dog", "cat").map(pattern::formatted).toList();
    }

    @Test
    void thePageShowsTheSourceOfTheExample() throws IOException {
        Matcher code = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("docs/library.md")));
        assertTrue(code.find());
        assertEquals(Files.readString(Path.of("java/test/example/LibraryExample.java")), code.group(1));
    }

    /** With four texts in each group, the smallest possible p-value is 2 / (8 choose 4) = 2 / 70. */
    @Test
    void theExampleTestsEveryHeadAndDrawsTheMap() throws IOException {
        Path picture = folder.resolve("heads.png");
        HeadMap map = LibraryExample.compare(DEMO, PAINTED, FAVORITE, picture);
        assertEquals(12, map.layers());
        assertEquals(12, map.heads());
        double smallest = 2.0 / 70;
        for (float p : map.values()) {
            assertTrue(p > smallest - 1e-6 && p <= 1, () -> "p-value " + p);
        }
        assertTrue(contains(map, smallest), "no head separates the groups");
        BufferedImage image = ImageIO.read(picture.toFile());
        assertTrue(hasInk(image, 0, 0.07), "no title above the map");
        assertTrue(hasInk(image, 0.2, 0.7), "no map");
        assertTrue(hasInk(image, 0.93, 1), "no caption below the map");
    }

    @Test
    void equalGroupsDoNotDiffer() {
        HeadMap map = LibraryExample.compare(DEMO, PAINTED, PAINTED, folder.resolve("heads.png"));
        for (float p : map.values()) {
            assertEquals(1, p);
        }
    }

    /** Whether a band of the picture, given as shares of its height from the top, has a dark pixel. */
    private static boolean hasInk(BufferedImage image, double top, double bottom) {
        int first = (int) (top * image.getHeight());
        int rows = (int) (bottom * image.getHeight()) - first;
        int[] band = image.getRGB(0, first, image.getWidth(), rows, null, 0, image.getWidth());
        return Arrays.stream(band).anyMatch(argb -> (argb >> 8 & 0xff) < 0x80);
    }

    private static boolean contains(HeadMap map, double p) {
        for (float value : map.values()) {
            if (Math.abs(value - p) < 1e-6) {
                return true;
            }
        }
        return false;
    }
}
