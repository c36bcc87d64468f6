package headscope.analysis.spectra;

import java.util.List;

/** When an answer counts as right; docs/metrics.md states the rules. */
public enum Match {
    /** Answer and expected answer are equal, without the white space around them. */
    EXACT,
    /** Their {@linkplain NormalisedAnswer normalised} forms are equal. */
    NORMALISED,
    /** The normalised answer contains the normalised expected answer as whole words. */
    CONTAINS;

    /** Whether one of the expected answers is met. */
    boolean accepts(String answer, List<String> expected) {
        return expected.stream().anyMatch(one -> switch (this) {
            case EXACT -> answer.strip().equals(one.strip());
            case NORMALISED -> NormalisedAnswer.of(answer).equals(NormalisedAnswer.of(one));
            case CONTAINS -> NormalisedAnswer.of(answer).contains(NormalisedAnswer.of(one));
        });
    }
}
