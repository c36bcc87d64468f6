package headscope.render;

import java.nio.file.Path;
import java.util.Locale;

/** File formats of figures, by the ending of the file's name in upper or lower case. */
public enum FigureFormat {
    PNG,
    SVG;

    /** @throws IllegalArgumentException if the name has another ending; the message lists the known ones */
    public static FigureFormat of(Path file) {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        for (FigureFormat format : values()) {
            if (name.endsWith("." + format.name().toLowerCase(Locale.ROOT))) {
                return format;
            }
        }
        String remedy = name.endsWith(".pdf")
                ? "rsvg-convert -f pdf -o FILE.pdf FILE.svg makes a PDF"
                : "end the name with one of them";
        throw new IllegalArgumentException("%s: a figure is written as .png or .svg; %s".formatted(file, remedy));
    }
}
