package headscope.live.screen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.live.screen.SampleScreens.Sample;
import headscope.render.Image;
import headscope.render.PngFile;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Compares whole screens with stored images, which were inspected by eye. */
final class GoldenScreenTest {
    /** Mean difference per channel, of 255. OpenGL implementations round blended colours differently. */
    private static final double MEAN_TOLERANCE = 0.1;

    /** Share of pixels that may differ more: cells whose edge meets a pixel's centre. */
    private static final double EDGES = 0.001;

    private static final int TOLERANCE = 16; // largest difference of one channel, of 255, elsewhere

    @ParameterizedTest
    @EnumSource(value = Sample.class, names = {"DEMO", "DEMO_LIGHT", "DEMO_LARGE", "MANY", "MANY_LARGE_LIGHT"})
    void equalsTheStoredImage(Sample sample) throws IOException, InterruptedException {
        Image image = SampleScreens.image(sample);
        // for inspection if the test fails, and the first golden image of a new screen
        PngFile.write(Path.of("target", sample.file()), image, 96, Map.of());
        BufferedImage golden = ImageIO.read(GoldenScreenTest.class.getResource(sample.file()));
        assertEquals(golden.getWidth(), image.width());
        assertEquals(golden.getHeight(), image.height());
        long total = 0;
        int different = 0;
        for (int i = 0; i < image.argb().length; i++) {
            int worst = 0;
            for (int shift = 0; shift <= 16; shift += 8) {
                int stored = golden.getRGB(i % image.width(), i / image.width());
                int difference = Math.abs((stored >> shift & 255) - (image.argb()[i] >> shift & 255));
                total += difference;
                worst = Math.max(worst, difference);
            }
            different += worst > TOLERANCE ? 1 : 0;
        }
        double mean = total / (3.0 * image.argb().length);
        double share = (double) different / image.argb().length;
        assertTrue(mean <= MEAN_TOLERANCE && share <= EDGES,
                "target/%s: mean difference %.4f, %.4f %% of the pixels differ".formatted(sample.file(), mean, 100 * share));
    }
}
