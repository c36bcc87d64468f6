package headscope.analysis;

import java.lang.Character.UnicodeScript;
import java.util.Set;

/** Which scripts separate words by spaces. */
public final class WordSpacing {
    private static final Set<UnicodeScript> WITHOUT_SPACES = Set.of(
            UnicodeScript.HAN, UnicodeScript.HIRAGANA, UnicodeScript.KATAKANA, UnicodeScript.BOPOMOFO, UnicodeScript.YI,
            UnicodeScript.THAI, UnicodeScript.LAO, UnicodeScript.KHMER, UnicodeScript.MYANMAR, UnicodeScript.TIBETAN,
            UnicodeScript.JAVANESE, UnicodeScript.BALINESE, UnicodeScript.NEW_TAI_LUE, UnicodeScript.TAI_LE,
            UnicodeScript.TAI_THAM, UnicodeScript.TAI_VIET);

    private WordSpacing() {}

    /** Whether a character's script separates words by spaces; true for characters of no particular script. */
    public static boolean separatesWords(int codePoint) {
        boolean wide = codePoint >= 0x3000 && codePoint <= 0x303F   // CJK punctuation
                || codePoint >= 0xFF00 && codePoint <= 0xFFEF       // full-width and half-width forms
                || codePoint == 0x30FC;                             // prolonged sound mark of Katakana
        return !wide && !WITHOUT_SPACES.contains(UnicodeScript.of(codePoint));
    }
}
