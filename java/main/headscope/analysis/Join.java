package headscope.analysis;

import headscope.model.text.Tokenizer;
import java.util.List;
import java.util.Set;

/** What stands between a prompt and its answer, if neither has white space there. */
public enum Join {
    /** A space where the writing and the tokenizer expect one, see {@link #between}. */
    AUTO,
    SPACE,
    NONE;

    private static final int CLOSING_MARKS = 1 << Character.END_PUNCTUATION | 1 << Character.FINAL_QUOTE_PUNCTUATION;
    private static final int OPENING_MARKS = 1 << Character.START_PUNCTUATION | 1 << Character.INITIAL_QUOTE_PUNCTUATION
            | 1 << Character.CURRENCY_SYMBOL | 1 << Character.CONNECTOR_PUNCTUATION;
    private static final int OPERATORS = 1 << Character.MATH_SYMBOL | 1 << Character.DASH_PUNCTUATION;

    /** Tokens of a single space, in the notations of byte-level and SentencePiece vocabularies. */
    private static final Set<String> SPACES = Set.of(" ", "\u0120", "\u2581", "<0x20>");

    /**
     * A space or nothing. {@link #AUTO} gives a space if both sides are written in scripts that separate words, no
     * opening bracket, currency sign or attached operator ends the prompt, no closing bracket begins the answer and no
     * sentence mark is the answer, and the space does not become a token of its own. Between two letters it may, because
     * without it two words would become one.
     */
    public String between(String prompt, String answer, Tokenizer tokenizer) {
        if (prompt.isEmpty() || answer.isEmpty()
                || isSpace(prompt.codePointBefore(prompt.length())) || isSpace(answer.codePointAt(0))) {
            return "";
        }
        boolean space = switch (this) {
            case SPACE -> true;
            case NONE -> false;
            case AUTO -> separates(prompt, answer)
                    && (isBetweenLetters(prompt, answer) || !isToken(prompt, answer, tokenizer));
        };
        return space ? " " : "";
    }

    private static boolean separates(String prompt, String answer) {
        int left = prompt.codePointBefore(prompt.length());
        int right = answer.codePointAt(0);
        String front = prompt.substring(0, prompt.length() - Character.charCount(left));
        boolean attached = !front.isEmpty() && !isSpace(front.codePointBefore(front.length()));
        boolean opens = is(left, OPENING_MARKS) || "#@\\".indexOf(left) >= 0
                || !attached && "\"'`".indexOf(left) >= 0
                || attached && (is(left, OPERATORS) || "*/^&".indexOf(left) >= 0);
        boolean closes = is(right, CLOSING_MARKS) || ".,;:!?%".indexOf(right) >= 0 && answer.length() == 1;
        return WordSpacing.separatesWords(left) && WordSpacing.separatesWords(right) && !opens && !closes;
    }

    private static boolean isBetweenLetters(String prompt, String answer) {
        return Character.isLetter(prompt.codePointBefore(prompt.length())) && Character.isLetter(answer.codePointAt(0));
    }

    private static boolean isSpace(int codePoint) {
        return Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint);
    }

    private static boolean is(int codePoint, int types) {
        return (types >> Character.getType(codePoint) & 1) == 1;
    }

    /** Whether the space between prompt and answer is a token of its own. */
    private static boolean isToken(String prompt, String answer, Tokenizer tokenizer) {
        List<String> alone = tokenizer.tokens(prompt).tokens();
        List<String> both = tokenizer.tokens(prompt + " " + answer).tokens();
        int differs = 0;
        while (differs < alone.size() && differs < both.size() && alone.get(differs).equals(both.get(differs))) {
            differs++;
        }
        return differs < both.size() && SPACES.contains(both.get(differs));
    }
}
