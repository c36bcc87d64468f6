package headscope.live.screen;

import headscope.result.frame.Frame.Token;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.ToDoubleFunction;

/** Tokens in lines of a given width. Lays out what is new, so that a frame measures only its new tokens. */
final class TextFlow {
    private final double width;
    private final double gap;
    private final ToDoubleFunction<String> measure;
    private final List<String> names = new ArrayList<>();
    private final List<Integer> lineStarts = new ArrayList<>();
    private float[] left = new float[64];
    private float[] right = new float[64];

    /**
     * @param width of a line, in pixels
     * @param gap   between two tokens, in pixels
     */
    TextFlow(double width, double gap, ToDoubleFunction<String> measure) {
        this.width = width;
        this.gap = gap;
        this.measure = measure;
    }

    boolean hasWidth(double other) {
        return width == other;
    }

    /** Lays out the tokens that differ from those of the last call, and those after them. */
    void update(List<Token> tokens) {
        int same = 0;
        while (same < Math.min(names.size(), tokens.size()) && names.get(same).equals(tokens.get(same).name())) {
            same++;
        }
        names.subList(same, names.size()).clear();
        while (!lineStarts.isEmpty() && lineStarts.getLast() >= same) {
            lineStarts.removeLast();
        }
        if (tokens.size() > left.length) {
            left = Arrays.copyOf(left, Math.max(tokens.size(), 2 * left.length));
            right = Arrays.copyOf(right, left.length);
        }
        for (int i = same; i < tokens.size(); i++) {
            String name = tokens.get(i).name();
            double length = Math.min(width, measure.applyAsDouble(name));
            double start = i == 0 ? 0 : right[i - 1] + gap;
            if (i == 0 || start + length > width || names.get(i - 1).endsWith("\\n")) {
                lineStarts.add(i);
                start = 0;
            }
            left[i] = (float) start;
            right[i] = (float) (start + length);
            names.add(name);
        }
    }

    int lines() {
        return lineStarts.size();
    }

    /** The line of a token, or the last line if there is no such token. */
    int lineOf(int token) {
        int found = Collections.binarySearch(lineStarts, token);
        return Math.max(0, found >= 0 ? found : -found - 2);
    }

    /** The first token of a line. */
    int start(int line) {
        return lineStarts.get(line);
    }

    /** The token after the last of a line. */
    int end(int line) {
        return line + 1 < lineStarts.size() ? lineStarts.get(line + 1) : names.size();
    }

    /** In pixels from the left end of its line. */
    double left(int token) {
        return left[token];
    }

    /** In pixels from the left end of its line. */
    double right(int token) {
        return right[token];
    }

    /** The token of a line at a distance from its left end, in pixels. */
    OptionalInt at(int line, double x) {
        for (int token = start(line); token < end(line); token++) {
            if (x >= left(token) - gap / 2 && x < right(token) + gap / 2) {
                return OptionalInt.of(token);
            }
        }
        return OptionalInt.empty();
    }
}
