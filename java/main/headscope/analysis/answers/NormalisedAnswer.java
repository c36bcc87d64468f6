package headscope.analysis.answers;

import headscope.analysis.WordSpacing;
import java.text.Normalizer;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * An answer without what rarely changes its meaning: case, white space, quotation marks, brackets, and the punctuation
 * of sentences. What changes a value stays: signs, points, fractions, currencies, percent, comparisons.
 */
record NormalisedAnswer(String text) {
    private static final Pattern BLANKS = Pattern.compile("[\\s\\p{Z}]+");
    private static final Pattern HYPHENS = Pattern.compile("[\u2010-\u2013\u2212\uFE63\uFF0D]");

    /** A whole number grouped by thousands. */
    private static final Pattern GROUPED = Pattern.compile(
            "(?<![\\p{L}\\p{N}.,])\\p{Nd}{1,3}(?:,\\p{Nd}{3})+(?![\\p{L}\\p{N}]|,\\p{N})");

    /** Single letters with points, such as U.S.A. */
    private static final Pattern ABBREVIATION = Pattern.compile(
            "(?<![\\p{L}\\p{M}\\p{N}.])(?:\\p{L}\\.)+\\p{L}?(?![\\p{L}\\p{M}\\p{N}])");

    private static final String MARK = "[\\p{P}`&&[^-%\u2030&@#/\\\\\u2032-\u2034]]";
    private static final String INSIDE = "[\\p{L}\\p{M}\\p{N}]";

    /** Marks that are not between two letters or digits, except a decimal point, !=, and an operator of two numbers. */
    private static final Pattern OUTER_MARKS = Pattern.compile(
            "(?!\\.\\p{Nd}|!=|(?<=\\p{Nd} )[*:] \\p{Nd})(?:(?<!" + INSIDE + ")" + MARK + "|" + MARK + "(?!" + INSIDE + "))");

    private static final Pattern APOSTROPHES = Pattern.compile("(?<=\\p{L})['\u2019](?=\\p{L})");
    private static final Pattern LETTER_HYPHENS = Pattern.compile("(?<=\\p{L}\\p{M}?)-(?=\\p{L})");

    /** A dash between words, but not beside a number, where it may be a sign. */
    private static final Pattern LONE_DASHES = Pattern.compile("(?<![^ ])(?<!\\p{N} )-+(?![^ ])(?! \\p{Sc}?[.]?\\p{N})");

    private static final Pattern BLANK_BEFORE_UNIT = Pattern.compile("(?<=\\p{Nd}) (?=[%\u2030\u00B0])|(?<=\\p{Sc}) (?=\\p{Nd})");

    static NormalisedAnswer of(String answer) {
        String plain = blanks(HYPHENS.matcher(Normalizer.normalize(answer, Normalizer.Form.NFC)).replaceAll("-"))
                .toLowerCase(Locale.ROOT);
        String kept = GROUPED.matcher(plain).replaceAll(number -> number.group().replace(",", ""));
        kept = ABBREVIATION.matcher(kept).replaceAll(letters -> letters.group().replace(".", ""));
        kept = APOSTROPHES.matcher(kept).replaceAll("");
        kept = OUTER_MARKS.matcher(kept).replaceAll("");
        kept = LETTER_HYPHENS.matcher(kept).replaceAll("");
        kept = LONE_DASHES.matcher(blanks(kept)).replaceAll("");
        kept = BLANK_BEFORE_UNIT.matcher(blanks(kept)).replaceAll("");
        return new NormalisedAnswer(kept.isEmpty() ? plain : kept);
    }

    private static String blanks(String text) {
        return BLANKS.matcher(text).replaceAll(" ").strip();
    }

    /** Whether the other answer begins this one, with white space or no text after it where its script separates words. */
    boolean startsWith(NormalisedAnswer part) {
        return part.text.isEmpty() ? text.isEmpty() : text.startsWith(part.text) && isWhole(part, 0);
    }

    /** Whether the other answer occurs here, with white space or no text around it where its script separates words. */
    boolean contains(NormalisedAnswer part) {
        if (part.text.isEmpty()) {
            return text.isEmpty();
        }
        for (int at = text.indexOf(part.text); at >= 0; at = text.indexOf(part.text, at + 1)) {
            if (isWhole(part, at)) {
                return true;
            }
        }
        return false;
    }

    private boolean isWhole(NormalisedAnswer part, int at) {
        int end = at + part.text.length();
        return (at == 0 || text.charAt(at - 1) == ' ' || !WordSpacing.separatesWords(part.text.codePointAt(0)))
                && (end == text.length() || text.charAt(end) == ' '
                        || !WordSpacing.separatesWords(part.text.codePointBefore(part.text.length())));
    }
}
