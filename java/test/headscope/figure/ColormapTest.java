package headscope.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class ColormapTest {
    private final Colormap rocket = Colormap.rocket();

    @Test
    void rocketBecomesLighterWithEachColour() {
        int[] colors = rocket.colors();
        assertEquals(256, colors.length);
        for (int i = 1; i < colors.length; i++) {
            assertTrue(luminance(colors[i]) > luminance(colors[i - 1]), "colour " + i);
        }
        assertTrue(luminance(colors[0]) < 0.005 && luminance(colors[255]) > 0.8);
    }

    @Test
    void fractionsTakeEqualSteps() {
        int[] colors = rocket.colors();
        assertEquals(colors[0], rocket.at(0));
        assertEquals(colors[0], rocket.at(-1));
        assertEquals(colors[128], rocket.at(0.5));
        assertEquals(colors[127], rocket.at(Math.nextDown(0.5)));
        assertEquals(colors[255], rocket.at(1));
        assertEquals(colors[255], rocket.at(2));
        assertEquals(Colormap.MISSING, rocket.at(Double.NaN));
    }

    /** Relative luminance of an sRGB colour, 0 to 1 (IEC 61966-2-1). */
    private static double luminance(int rgb) {
        return 0.2126 * linear(rgb >> 16 & 255) + 0.7152 * linear(rgb >> 8 & 255) + 0.0722 * linear(rgb & 255);
    }

    private static double linear(int channel) {
        double encoded = channel / 255.0;
        return encoded <= 0.04045 ? encoded / 12.92 : Math.pow((encoded + 0.055) / 1.055, 2.4);
    }
}
