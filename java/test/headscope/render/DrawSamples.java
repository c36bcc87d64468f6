package headscope.render;

import headscope.figure.Figure;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Draws synthetic figures for inspection: {@code DrawSamples <folder> <sample>...}. A sample is the size of a spectra
 * figure, {@code <layers>x<heads>[m]}, or a name of {@link SampleFigures}.
 */
final class DrawSamples {
    private static final Pattern SPECTRA = Pattern.compile("(\\d+)x(\\d+)(m?)");

    private DrawSamples() {}

    public static void main(String[] arguments) {
        try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
            for (String sample : List.of(arguments).subList(1, arguments.length)) {
                renderer.write(figure(sample), Path.of(arguments[0], sample + ".png"),
                        Integer.getInteger("dpi", OffscreenRenderer.DEFAULT_DPI), Map.of("Software", "Headscope"));
            }
        }
    }

    static Figure figure(String sample) {
        Matcher size = SPECTRA.matcher(sample);
        if (!size.matches()) {
            return SampleFigures.of(sample);
        }
        int layers = Integer.parseInt(size.group(1));
        int heads = Integer.parseInt(size.group(2));
        return size.group(3).isEmpty() ? SampleMaps.figure(layers, heads) : SampleMaps.marked(layers, heads);
    }
}
