package headscope.render;

import java.text.Bidi;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reorders and joins right-to-left text for stb_truetype, which does no text shaping. */
final class RightToLeft {
    /** Unicode's forms of Arabic letters: isolated, final and, for letters that join the next one, initial and medial. */
    private static final Map<Integer, List<Integer>> SHAPES = new HashMap<>();

    static {
        for (int shape = 0xFE80; shape <= 0xFEF4; shape++) {
            int letter = Normalizer.normalize(Character.toString(shape), Normalizer.Form.NFKC).codePointAt(0);
            SHAPES.computeIfAbsent(letter, _ -> new ArrayList<>()).add(shape);
        }
    }

    private RightToLeft() {}

    /** The characters in visual order; a text without right-to-left characters is returned unchanged. */
    static String visual(String text) {
        if (!Bidi.requiresBidi(text.toCharArray(), 0, text.length())) {
            return text;
        }
        Bidi bidi = new Bidi(text, Bidi.DIRECTION_DEFAULT_LEFT_TO_RIGHT);
        int[] characters = text.codePoints().toArray();
        byte[] levels = new byte[characters.length];
        for (int i = 0, at = 0; i < levels.length; at += Character.charCount(characters[i++])) {
            levels[i] = (byte) bidi.getLevelAt(at);
        }
        Integer[] shaped = new Integer[characters.length];
        for (int i = 0; i < shaped.length; i++) {
            shaped[i] = shape(characters, i);
        }
        Bidi.reorderVisually(levels, 0, shaped, 0, shaped.length);
        StringBuilder line = new StringBuilder();
        for (int character : shaped) {
            line.appendCodePoint(character);
        }
        return line.toString();
    }

    private static int shape(int[] characters, int i) {
        List<Integer> shapes = SHAPES.get(characters[i]);
        if (shapes == null) {
            return characters[i];
        }
        boolean joinsPrevious = joinsNext(neighbour(characters, i, -1)) && shapes.size() > 1;
        boolean joinsFollowing = joinsNext(characters[i])
                && SHAPES.getOrDefault(neighbour(characters, i, 1), List.of()).size() > 1;
        return shapes.get((joinsPrevious ? 1 : 0) + (joinsFollowing ? 2 : 0));
    }

    /** Whether a letter joins the one after it. */
    private static boolean joinsNext(int character) {
        return SHAPES.getOrDefault(character, List.of()).size() == 4;
    }

    /** The previous or next letter, skipping nonspacing marks; 0 at the end of the line. */
    private static int neighbour(int[] characters, int i, int step) {
        int next = i + step;
        while (next >= 0
                && next < characters.length
                && Character.getType(characters[next]) == Character.NON_SPACING_MARK) {
            next += step;
        }
        return next >= 0 && next < characters.length ? characters[next] : 0;
    }
}
