package headscope.live.screen;

import headscope.live.LiveText;
import headscope.result.frame.Frame.State;
import java.util.Arrays;
import java.util.Locale;

/** Numbers and names as the screen writes them. */
final class Wording {
    private static final long MEBIBYTE = 1L << 20;

    private Wording() {}

    /** Three digits after the point, or an exponent for small numbers. */
    static String number(double value) {
        if (Double.isNaN(value)) {
            return "none";
        }
        boolean tiny = value != 0 && Math.abs(value) < 0.001;
        return String.format(Locale.ROOT, tiny ? "%.2e" : "%.3f", value);
    }

    static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    static String count(long count, String noun) {
        return count(count) + " " + noun + (count == 1 ? "" : "s");
    }

    static String metric(String key) {
        return key.replace('_', ' ');
    }

    static String state(State state) {
        return state.name().toLowerCase(Locale.ROOT);
    }

    static String bytes(long bytes) {
        return bytes < 1024 * MEBIBYTE
                ? "%s MiB".formatted(count(Math.round((double) bytes / MEBIBYTE)))
                : String.format(Locale.ROOT, "%.1f GiB", bytes / (1024.0 * MEBIBYTE));
    }

    /** Notes on a map, one after the other. */
    static String notes(String... notes) {
        return String.join("; ", Arrays.stream(notes).filter(note -> !note.isEmpty()).toList());
    }

    /** How the screen shows cells that are smaller than its pixels. */
    static String reduced(double cellsPerPixel) {
        return cellsPerPixel > 1 ? "pixel: largest of its cells" : "";
    }

    /** What one cell stands for. */
    static String cell(String pooling, int bin) {
        return bin == 1 ? "1 token" : "%s of %d x %d tokens".formatted(pooling, bin, bin);
    }

    /** The tokens of a row or column of cells, such as "koria" (40) or "tokens 128-129". */
    static String tokens(LiveText text, int cell, int bin) {
        int first = cell * bin;
        return isOneToken(text, cell, bin)
                ? "\"%s\" (%d)".formatted(text.tokens().get(first).name(), first)
                : "tokens %d-%d".formatted(first, Math.min(first + bin, text.tokens().size()) - 1);
    }

    /** Whether a cell is that of a single token, as the last one may be. */
    static boolean isOneToken(LiveText text, int cell, int bin) {
        return cell * bin == Math.min(cell * bin + bin, text.tokens().size()) - 1;
    }
}
