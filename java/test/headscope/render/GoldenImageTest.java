package headscope.render;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares whole figures with stored images, which were inspected by eye; {@link DrawSamples} draws new ones. */
final class GoldenImageTest {
    /** Mean difference per channel, of 255. OpenGL implementations round blended colours differently. */
    private static final double MEAN_TOLERANCE = 0.05;

    /** Largest difference of one channel, of 255. */
    private static final int TOLERANCE = 16;

    static Stream<Arguments> figures() {
        return Stream.concat(
                Stream.of("32x32m", "12x12m", "1x1m").map(name -> Arguments.of(name, 96)),
                SampleFigures.NAMES.stream().map(name -> Arguments.of(name, 72)));
    }

    @ParameterizedTest
    @MethodSource("figures")
    void equalsTheStoredImage(String sample, int dpi) throws IOException {
        Image image;
        try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
            image = renderer.image(DrawSamples.figure(sample), dpi);
        }
        String name = sample + ".png";
        // for inspection if the test fails, and the first golden image of a new figure
        PngFile.write(Path.of("target", name), image, dpi, Map.of());
        BufferedImage golden = ImageIO.read(GoldenImageTest.class.getResource(name));
        assertEquals(golden.getWidth(), image.width(), name);
        assertEquals(golden.getHeight(), image.height(), name);
        long total = 0;
        int worst = 0;
        for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < image.width(); x++) {
                for (int shift = 0; shift <= 16; shift += 8) {
                    int difference =
                            Math.abs((golden.getRGB(x, y) >> shift & 255) - (image.at(x, y) >> shift & 255));
                    total += difference;
                    worst = Math.max(worst, difference);
                }
            }
        }
        double mean = (double) total / (3L * image.width() * image.height());
        assertTrue(mean <= MEAN_TOLERANCE && worst <= TOLERANCE,
                "target/%s: mean difference %.4f, worst %d".formatted(name, mean, worst));
    }
}
