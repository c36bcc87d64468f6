package headscope.render;

import headscope.figure.Figure;
import java.nio.file.Path;
import java.util.Map;

/** Draws a figure into a file. */
public final class FigureFile {
    /** Dots per inch of a figure when nobody asks for another number: print quality, some 2400 pixels wide. */
    public static final int DEFAULT_DPI = 2 * Layout.UNITS_PER_INCH;

    private FigureFile() {}

    /**
     * Draws off screen and writes a PNG, whole or not at all.
     *
     * @param texts kept inside the file, by keyword
     * @throws RenderUnavailableException if this machine cannot draw
     */
    public static void write(Figure figure, Path file, int dpi, Map<String, String> texts) {
        Image image;
        try (OffscreenContext context = OffscreenContext.open()) {
            image = context.image(figure, dpi);
        }
        PngFile.write(file, image, dpi, texts);
    }
}
