package headscope.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class ColormapTest {
    private final Colormap rocket = Colormap.rocket();

    @Test
    void rocketGetsLighterWithEveryColour() {
        int[] colors = rocket.colors();
        assertEquals(256, colors.length);
        for (int i = 1; i < colors.length; i++) {
            assertTrue(luminance(colors[i]) > luminance(colors[i - 1]), "colour " + i);
        }
        assertTrue(luminance(colors[0]) < 0.005 && luminance(colors[255]) > 0.8);
    }

    @Test
    void viridisGetsLighterEveryThreeColours() {
        int[] colors = Colormap.viridis().colors();
        assertEquals(256, colors.length);
        for (int i = 3; i < colors.length; i++) {
            assertTrue(luminance(colors[i]) > luminance(colors[i - 3]), "colour " + i);
        }
        assertEquals(0x440154, colors[0]);
        assertEquals(0xFDE724, colors[255]);
    }

    @Test
    void jetIsPiecewiseLinear() {
        int[] colors = Colormap.jet().colors();
        assertEquals(256, colors.length);
        for (int i = 0; i < colors.length; i++) {
            double x = i / 255.0;
            assertEquals(255 * ramp(x, 0.35, 0.66, 0.89, 1.11), colors[i] >> 16, 1.01, "red " + i);
            assertEquals(255 * ramp(x, 0.125, 0.375, 0.64, 0.91), colors[i] >> 8 & 255, 1.01, "green " + i);
            assertEquals(255 * ramp(x, -0.11, 0.11, 0.34, 0.65), colors[i] & 255, 1.01, "blue " + i);
        }
    }

    /** 0 up to a, rises to 1 at b, falls from c, and is 0 again from d. */
    private static double ramp(double x, double a, double b, double c, double d) {
        return Math.clamp(Math.min((x - a) / (b - a), (d - x) / (d - c)), 0, 1);
    }

    @Test
    void colorsCoverEqualFractions() {
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
