package headscope.render.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Line breaking. */
final class Lines {
    /** Between a hyphen and the next part of a compound word. */
    private static final Pattern AFTER_HYPHEN = Pattern.compile("(?<=\\p{L}-)(?=\\p{L})");

    private Lines() {}

    /** The parts of a text that are not broken if lines are long enough: words, and compound words after each hyphen. */
    static Stream<String> parts(String text) {
        return words(text).flatMap(AFTER_HYPHEN::splitAsStream);
    }

    private static Stream<String> words(String text) {
        return Stream.of(text.strip().split("\\s+"));
    }

    /** Lines of at most {@code length}, broken at spaces and after hyphens, and inside parts that are longer than a line. */
    static List<String> wrap(String text, double length, ToDoubleFunction<String> width) {
        List<String> lines = new ArrayList<>();
        String line = "";
        for (String word : words(text).toList()) {
            String gap = line.isEmpty() ? "" : " ";
            for (String part : AFTER_HYPHEN.split(word)) {
                String longer = line + gap + part;
                gap = "";
                if (width.applyAsDouble(longer) <= length) {
                    line = longer;
                    continue;
                }
                if (!line.isEmpty()) {
                    lines.add(line);
                }
                String rest = part;
                int fits;
                while ((fits = fitting(rest, length, width)) < rest.length()) {
                    lines.add(rest.substring(0, fits));
                    rest = rest.substring(fits);
                }
                line = rest;
            }
        }
        lines.add(line);
        return lines;
    }

    /** At most {@code count} lines; a text that needs more loses its middle, since both ends often tell texts apart. */
    static List<String> wrap(String text, double length, int count, ToDoubleFunction<String> width) {
        List<String> whole = wrap(text, length, width);
        if (whole.size() <= count) {
            return whole;
        }
        int fits = 0;
        int exceeds = text.length();
        while (exceeds - fits > 1) {
            int middle = (fits + exceeds) / 2;
            if (wrap(withoutMiddle(text, middle), length, width).size() <= count) {
                fits = middle;
            } else {
                exceeds = middle;
            }
        }
        return wrap(withoutMiddle(text, fits), length, width);
    }

    /** About {@code kept} chars of a text: two thirds from its beginning, one from its end. */
    private static String withoutMiddle(String text, int kept) {
        int head = text.offsetByCodePoints(0, text.codePointCount(0, kept * 2 / 3));
        int tail = text.length() - (kept - kept * 2 / 3);
        boolean divided = tail < text.length() && Character.isLowSurrogate(text.charAt(tail));
        return text.substring(0, head).strip() + "\u2026" + text.substring(divided ? tail + 1 : tail).strip();
    }

    /** Number of leading chars of a word that fit, at least one character. */
    private static int fitting(String word, double length, ToDoubleFunction<String> width) {
        int end = word.length();
        while (end > 1 && width.applyAsDouble(word.substring(0, end)) > length) {
            end = word.offsetByCodePoints(end, -1);
        }
        return Math.max(end, Character.charCount(word.codePointAt(0)));
    }
}
