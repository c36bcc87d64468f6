package headscope.analysis.answers;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import headscope.analysis.Text;
import headscope.tensor.Printable;
import java.util.List;

/** When an answer counts as right; docs/metrics.md states the rules. */
public enum Match {
    /** Answer and expected answer are equal, without the white space around them. */
    EXACT,
    /** Their {@linkplain NormalisedAnswer normalised} forms are equal. */
    NORMALISED,
    /** The normalised answer begins with the normalised expected answer as whole words. */
    PREFIX,
    /** The normalised answer contains the normalised expected answer as whole words. */
    CONTAINS,
    /**
     * The expected answer is a regular expression that the answer, without the white space around it, contains. RE2
     * matches in time linear in the answer, whatever the expression.
     */
    REGEX;

    /** Whether one of the expected answers is met. */
    public boolean accepts(String answer, List<String> expected) {
        return expected.stream().anyMatch(one -> switch (this) {
            case EXACT -> answer.strip().equals(one.strip());
            case NORMALISED -> NormalisedAnswer.of(answer).equals(NormalisedAnswer.of(one));
            case PREFIX -> NormalisedAnswer.of(answer).startsWith(NormalisedAnswer.of(one));
            case CONTAINS -> NormalisedAnswer.of(answer).contains(NormalisedAnswer.of(one));
            case REGEX -> Pattern.compile(one).matcher(answer.strip()).find();
        });
    }

    /**
     * Checks the expected answers before anything is computed.
     *
     * @throws headscope.analysis.InputException if one is not a regular expression, or an empty one
     */
    void requireUsable(Text.Question question) {
        for (String pattern : this == REGEX ? question.answers() : List.<String>of()) {
            if (pattern.isEmpty()) {
                throw question.entry().wrong("an answer is empty, and as a regular expression accepts every answer; ^$ accepts only an empty one");
            }
            try {
                Pattern.compile(pattern);
            } catch (PatternSyntaxException malformed) {
                String part = malformed.getPattern();
                int at = part.isEmpty() ? -1 : pattern.indexOf(part);
                throw question.entry().wrong("the answer %s is not a regular expression: %s%s; --match regex uses the syntax"
                        .formatted(Printable.quote(pattern), malformed.getDescription(),
                                at < 0 ? "" : " at character %d, %s".formatted(at + 1, Printable.quote(part)))
                        + " of RE2");
            }
        }
    }
}
