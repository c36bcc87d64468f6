package headscope.render;

import java.lang.Character.UnicodeScript;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A font that this machine does not have: characters of its script are drawn as boxes.
 *
 * @param script  such as "Thai"
 * @param debianPackage that installs such a font on Debian and Ubuntu
 */
public record MissingFont(String script, String debianPackage) {
    private static final String EXAMPLES = "\u65e5\u0905\u0e01\ud83d\ude00";

    /** The fonts of scripts with many readers that neither come with the program nor are installed. */
    public static List<MissingFont> ofCommonScripts() {
        return of(new Font(), EXAMPLES.codePoints());
    }

    /** One for each script that has a character without a glyph. */
    static List<MissingFont> of(Font font, IntStream characters) {
        return characters.filter(character -> !font.has(character)).mapToObj(MissingFont::of).distinct().toList();
    }

    private static MissingFont of(int character) {
        if (Character.isEmoji(character)) {
            return new MissingFont("emoji", "fonts-symbola");
        }
        UnicodeScript script = UnicodeScript.of(character);
        return switch (script) {
            case HAN, HIRAGANA, KATAKANA, HANGUL, BOPOMOFO ->
                    new MissingFont("Chinese, Japanese and Korean", "fonts-noto-cjk");
            case COMMON, INHERITED, UNKNOWN -> new MissingFont("symbols", "fonts-symbola");
            default -> new MissingFont(name(script), "fonts-noto-core");
        };
    }

    private static String name(UnicodeScript script) {
        String name = script.name().replace('_', ' ');
        return name.charAt(0) + name.substring(1).toLowerCase(Locale.ROOT);
    }
}
