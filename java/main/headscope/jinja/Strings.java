package headscope.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Python's methods of strings, where they differ from Java's. */
final class Strings {
    private Strings() {}

    /** Python's white space; unlike Java's with the no-break spaces and U+0085. All of it is in the basic plane. */
    static boolean isSpace(int c) {
        return c >= 0x09 && c <= 0x0d || c >= 0x1c && c <= 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680
                || c >= 0x2000 && c <= 0x200a || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
    }

    /** Whether a string is white space; the empty one is not. */
    static boolean isSpace(String text) {
        return !text.isEmpty() && text.chars().allMatch(Strings::isSpace);
    }

    static String strip(String text, IntPredicate stripped, boolean left, boolean right) {
        int start = 0;
        int end = text.length();
        while (left && start < end && stripped.test(text.codePointAt(start))) {
            start += Character.charCount(text.codePointAt(start));
        }
        while (right && end > start && stripped.test(text.codePointBefore(end))) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(start, end);
    }

    static String stripTrailing(String text) {
        return strip(text, Strings::isSpace, false, true);
    }

    static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    static List<Value> characters(String text) {
        return text.codePoints().mapToObj(c -> (Value) Value.of(Character.toString(c))).toList();
    }

    /** @param most number of splits; negative for all */
    static List<String> split(String text, long most) {
        List<String> words = new ArrayList<>();
        int position = 0;
        while (true) {
            while (position < text.length() && isSpace(text.charAt(position))) {
                position++;
            }
            if (position == text.length()) {
                return words;
            }
            if (most >= 0 && words.size() == most) {
                words.add(text.substring(position));
                return words;
            }
            int end = position;
            while (end < text.length() && !isSpace(text.charAt(end))) {
                end++;
            }
            words.add(text.substring(position, end));
            position = end;
        }
    }

    static List<String> split(String text, String separator, long most) {
        List<String> parts = new ArrayList<>();
        int start = 0;
        while (most < 0 || parts.size() < most) {
            int end = text.indexOf(separator, start);
            if (end < 0) {
                break;
            }
            parts.add(text.substring(start, end));
            start = end + separator.length();
        }
        parts.add(text.substring(start));
        return parts;
    }

    /** Splits from the right. */
    static List<String> splitRight(String text, String separator, long most) {
        List<String> parts = new ArrayList<>();
        int end = text.length();
        while (most < 0 || parts.size() < most) {
            int start = end < separator.length() ? -1 : text.lastIndexOf(separator, end - separator.length());
            if (start < 0) {
                break;
            }
            parts.addFirst(text.substring(start + separator.length(), end));
            end = start;
        }
        parts.addFirst(text.substring(0, end));
        return parts;
    }

    /** Splits at white space, from the right. */
    static List<String> splitRight(String text, long most) {
        List<String> words = new ArrayList<>();
        int end = text.length();
        while (true) {
            while (end > 0 && isSpace(text.charAt(end - 1))) {
                end--;
            }
            if (end == 0) {
                return words;
            }
            if (most >= 0 && words.size() == most) {
                words.addFirst(text.substring(0, end));
                return words;
            }
            int start = end;
            while (start > 0 && !isSpace(text.charAt(start - 1))) {
                start--;
            }
            words.addFirst(text.substring(start, end));
            end = start;
        }
    }

    static List<String> lines(String text, boolean keepEnds) {
        List<String> lines = new ArrayList<>();
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= '\n' && c <= '\r' || c >= 0x1c && c <= 0x1e || c == 0x85 || c == 0x2028 || c == 0x2029) {
                int end = c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n' ? i + 2 : i + 1;
                lines.add(text.substring(start, keepEnds ? end : i));
                start = end;
                i = end - 1;
            }
        }
        if (start < text.length()) {
            lines.add(text.substring(start));
        }
        return lines;
    }

    /** @param most number of replacements; negative for all */
    static String replace(String text, String old, String with, long most) {
        StringBuilder replaced = new StringBuilder();
        int start = 0;
        long count = 0;
        while (most < 0 || count < most) {
            int found = text.indexOf(old, start);
            if (found < 0) {
                break;
            }
            replaced.append(text, start, found).append(with);
            start = found + old.length();
            count++;
            if (old.isEmpty()) {
                if (start == text.length()) {
                    return replaced.toString();
                }
                int next = start + Character.charCount(text.codePointAt(start));
                replaced.append(text, start, next);
                start = next;
            }
        }
        return replaced.append(text, start, text.length()).toString();
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int second = text.offsetByCodePoints(0, 1);
        return titlecase(text.codePointAt(0)) + text.substring(second).toLowerCase(Locale.ROOT);
    }

    /** Letters that follow a letter in lower case, all others in title case. */
    static String title(String text) {
        StringBuilder title = new StringBuilder();
        boolean inside = false;
        for (int c : text.codePoints().toArray()) {
            title.append(inside ? Character.toString(c).toLowerCase(Locale.ROOT) : titlecase(c));
            inside = isCased(c);
        }
        return title.toString();
    }

    private static String titlecase(int c) {
        String upper = Character.toString(c).toUpperCase(Locale.ROOT);
        return length(upper) == 1 ? Character.toString(Character.toTitleCase(c))
                : upper.charAt(0) + upper.substring(1).toLowerCase(Locale.ROOT);
    }

    static boolean isCased(int c) {
        return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
    }
}
