package headscope.cli;

import static headscope.analysis.InputException.require;

import headscope.live.window.WindowViewer;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Options of the window. */
final class WindowOptions {
    private static final Pattern SIZE = Pattern.compile("(\\d{1,5})x(\\d{1,5})");
    private static final int MAX = 16_384;

    enum Theme {
        DARK,
        LIGHT
    }

    @Option(names = "--size", paramLabel = "WxH",
            description = "Size of the window, in pixels of a screen at 96 dpi (default: ${DEFAULT-VALUE}).")
    String size = "1280x800";

    @Option(names = "--theme", paramLabel = "dark|light", description = "Colours of the window (default: ${DEFAULT-VALUE}).")
    Theme theme = Theme.DARK;

    @Option(names = "--vsync", negatable = true, defaultValue = "true", fallbackValue = "true",
            description = "Wait for the monitor before showing a frame (default: yes).")
    boolean vsync = true;

    @Option(names = "--pictures", paramLabel = "DIR",
            description = "Folder for the pictures and recordings made with P and R (default: ${DEFAULT-VALUE}).")
    Path pictures = Path.of("runs");

    /** @param prompt that the user may edit */
    WindowViewer.Settings settings(String prompt) {
        Size parsed = size();
        return new WindowViewer.Settings(parsed.width, parsed.height, vsync, theme == Theme.DARK, prompt, pictures);
    }

    /** Width and height. */
    record Size(int width, int height) {}

    Size size() {
        Matcher parts = SIZE.matcher(size);
        require(parts.matches(), "--size must be WIDTHxHEIGHT, such as 1280x800, not " + size);
        Size parsed = new Size(Integer.parseInt(parts.group(1)), Integer.parseInt(parts.group(2)));
        require(parsed.width >= 640 && parsed.height >= 400 && parsed.width <= MAX && parsed.height <= MAX,
                "--size must be from 640x400 to %dx%d, not %s".formatted(MAX, MAX, size));
        return parsed;
    }
}
