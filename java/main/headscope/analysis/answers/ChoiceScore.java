package headscope.analysis.answers;

import java.util.Locale;

/** How the log probabilities of a choice's tokens become its score; docs/metrics.md states the formulas. */
public enum ChoiceScore {
    /** Their sum. */
    SUM,
    /** Their mean. */
    PER_TOKEN,
    /** Their sum divided by the number of characters of the choice. */
    PER_CHARACTER;

    /** @param logProb sum over the tokens, nats */
    double of(double logProb, String choice, int tokens) {
        return switch (this) {
            case SUM -> logProb;
            case PER_TOKEN -> logProb / tokens;
            case PER_CHARACTER -> logProb / Math.max(1, choice.codePointCount(0, choice.length()));
        };
    }

    /** As the command line writes it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
