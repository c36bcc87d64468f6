package headscope.figure;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Colours of the numbers from 0 to 1, in equal steps. Sources: rocket from seaborn 0.13 (BSD); viridis, magma and inferno
 * (CC0), cividis, jet, turbo and coolwarm from matplotlib 3.11.
 *
 * @param name   name of its file in {@code colormaps/}
 * @param colors 0xRRGGBB, sRGB, from the lowest to the highest number
 */
public record Colormap(String name, int[] colors) {
    /** 0xRRGGBB, sRGB, of a cell that has no value (NaN). */
    public static final int MISSING = 0xB3B3B3;

    public Colormap {
        if (colors.length < 2) {
            throw new IllegalArgumentException("%s: %d colours".formatted(name, colors.length));
        }
        colors = colors.clone();
    }

    /** Near-black through magenta and orange to light peach; 256 colours of increasing lightness. */
    public static Colormap rocket() {
        return read("rocket");
    }

    /** Dark purple through blue and green to yellow; 256 colours of increasing lightness. */
    public static Colormap viridis() {
        return read("viridis");
    }

    /** Dark blue through cyan, green and yellow to dark red; 256 colours, lightest in the middle. */
    public static Colormap jet() {
        return read("jet");
    }

    /** Black through purple and orange to light yellow; 256 colours of increasing lightness. */
    public static Colormap magma() {
        return read("magma");
    }

    /** Blue through light grey to red; 256 colours, lightest in the middle, which means no difference. */
    public static Colormap coolwarm() {
        return read("coolwarm");
    }

    /** @throws IllegalArgumentException if there is no such map; the message lists all */
    public static Colormap named(String name) {
        List<String> names = all().stream().map(Colormap::name).toList();
        String wanted = name.toLowerCase(Locale.ROOT);
        if (!names.contains(wanted)) {
            throw new IllegalArgumentException("unknown colour map \"%s\"; use one of %s".formatted(name, String.join(", ", names)));
        }
        return read(wanted);
    }

    /** Whether the colours in the middle mean 0, and both ends a large distance from it. */
    public boolean isDiverging() {
        return name.equals("coolwarm");
    }

    /** Sequential, then rainbow, then diverging maps; a viewer steps through them in this order. */
    public static List<Colormap> all() {
        return Stream.of("magma", "inferno", "viridis", "cividis", "rocket", "turbo", "jet", "coolwarm")
                .map(Colormap::read)
                .toList();
    }

    /** A copy. */
    @Override
    public int[] colors() {
        return colors.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Colormap map && name.equals(map.name) && Arrays.equals(colors, map.colors);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    /** The colour of a fraction of the range: the first one below 0, the last one above 1, {@link #MISSING} for NaN. */
    public int at(double fraction) {
        if (Double.isNaN(fraction)) {
            return MISSING;
        }
        return colors[(int) Math.clamp(Math.floor(fraction * colors.length), 0, colors.length - 1)];
    }

    private static Colormap read(String name) {
        String file = "colormaps/" + name + ".csv";
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(Colormap.class.getResourceAsStream(file), StandardCharsets.US_ASCII))) {
            return new Colormap(name, lines.lines().skip(1).mapToInt(Colormap::parse).toArray());
        } catch (IOException problem) {
            throw new UncheckedIOException(file, problem);
        }
    }

    private static int parse(String row) {
        String[] rgb = row.split(",");
        return Integer.parseInt(rgb[0]) << 16 | Integer.parseInt(rgb[1]) << 8 | Integer.parseInt(rgb[2]);
    }
}
