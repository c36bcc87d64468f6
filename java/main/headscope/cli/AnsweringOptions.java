package headscope.cli;

import headscope.analysis.LabelNames;
import headscope.analysis.answers.Answering;
import headscope.analysis.answers.ChoiceScore;
import headscope.analysis.answers.Match;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How a model answers prompts, and how its answers are graded. */
final class AnsweringOptions {
    @Option(names = "--max-new-tokens", paramLabel = "N",
            description = "Maximum number of new tokens per answer (default: ${DEFAULT-VALUE}).")
    int maxNewTokens = Answering.DEFAULT.maxNewTokens();

    @Option(names = "--match", paramLabel = "exact|normalised|prefix|contains|regex",
            description = "When an answer counts as right. exact: equal to an expected one. normalised: equal apart from"
                    + " case, white space, quotation marks, brackets and sentence punctuation; signs, decimal points,"
                    + " currencies, percent and comparisons count. prefix, contains: begins with or contains an"
                    + " expected one as whole words, likewise normalised. regex: the expected ones are regular"
                    + " expressions (RE2), one of which the answer contains (default: ${DEFAULT-VALUE}).")
    Match match = Answering.DEFAULT.match();

    @Option(names = "--stop", showDefaultValue = Visibility.NEVER, paramLabel = "STRING",
            description = "String that ends an answer; white space before an answer does not count (default: a newline).")
    String stop = Answering.DEFAULT.stop();

    @Mixin
    SamplingOptions sampling = new SamplingOptions();

    @Option(names = "--choice-score", paramLabel = "sum|per-token|per-character",
            description = "For texts with \"choices\": the model chooses the one with the largest sum of the log"
                    + " probabilities of its tokens, or this sum per token or per character (default: ${DEFAULT-VALUE}).")
    ChoiceScore choiceScore = Answering.DEFAULT.choiceScore();

    @Mixin
    JoinOption join = new JoinOption();

    @Option(names = "--label-names", paramLabel = "NEGATIVE,POSITIVE",
            description = "Names of the labels 0 and 1 in the file, such as correct,hallucinated (default: 0 and 1, or"
                    + " false and true).")
    Optional<String> labelNames = Optional.empty();

    @Option(names = "--batch-texts", showDefaultValue = Visibility.NEVER, paramLabel = "N",
            description = "Maximum number of prompts that are answered at a time; when an answer is complete, the next prompt"
                    + " takes its place. Memory grows with it. On the CPU results do not depend on it; on a GPU their last"
                    + " digits may (default: 16 on the CPU; 64 on a GPU, fewer where its memory is too small).")
    private Optional<Integer> batchTexts = Optional.empty();

    LabelNames labelNames() {
        return labelNames.map(LabelNames::parse).orElse(LabelNames.NUMBERS);
    }

    Answering answering(long seed) {
        return new Answering(
                maxNewTokens, match, stop, sampling.sampler(), seed, choiceScore, join.join, labelNames(),
                batchTexts.map(OptionalInt::of).orElseGet(OptionalInt::empty));
    }
}
