package headscope.analysis.answers;

import static headscope.analysis.InputException.require;

import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.Join;
import headscope.analysis.LabelNames;
import headscope.analysis.Text;
import headscope.model.Sampler;
import headscope.result.Manifest;
import java.util.List;
import java.util.OptionalInt;

/**
 * How a model answers prompts, and how its answers are graded.
 *
 * @param maxNewTokens maximum number of new tokens
 * @param match        when an answer counts as right
 * @param stop         a string that ends an answer; empty = none
 * @param seed         for sampling
 * @param choiceScore  score by which the model chooses
 * @param join         separator between a prompt and a given answer or a choice
 * @param labelNames   how labels are written
 * @param batchTexts   maximum number of texts that are continued at a time; empty = by device
 */
public record Answering(
        int maxNewTokens, Match match, String stop, Sampler sampler, long seed, ChoiceScore choiceScore, Join join,
        LabelNames labelNames, OptionalInt batchTexts) {
    public static final Answering DEFAULT = new Answering(
            16, Match.NORMALISED, "\n", Sampler.GREEDY, 0, ChoiceScore.SUM, Join.AUTO, LabelNames.NUMBERS);

    public Answering {
        require(maxNewTokens >= 1, "--max-new-tokens must be at least 1, not " + maxNewTokens);
        require(batchTexts.orElse(1) >= 1, "--batch-texts must be at least 1, not " + batchTexts.orElse(1));
    }

    /** With as many texts at a time as are fast on the device. */
    public Answering(
            int maxNewTokens, Match match, String stop, Sampler sampler, long seed, ChoiceScore choiceScore, Join join,
            LabelNames labelNames) {
        this(maxNewTokens, match, stop, sampler, seed, choiceScore, join, labelNames, OptionalInt.empty());
    }

    public Answering withMaxNewTokens(int tokens) {
        return new Answering(tokens, match, stop, sampler, seed, choiceScore, join, labelNames, batchTexts);
    }

    /** Checks what can be known before the model is read. */
    public void requireUsable(List<Text> texts) {
        for (Text text : texts) {
            if (text instanceof Text.Question question) {
                match.requireUsable(question);
            }
        }
    }

    /** Adds the settings that decide how these texts are answered and graded to a manifest. */
    public void describe(ObjectNode settings, List<Text> texts) {
        settings.put("max_new_tokens", maxNewTokens);
        settings.put("match", Manifest.keyword(match));
        settings.put("stop", stop);
        settings.put("temperature", sampler.temperature());
        settings.put("top_p", sampler.topP());
        settings.put("seed", seed);
        batchTexts.ifPresent(count -> settings.put("batch_texts", count));
        if (texts.stream().anyMatch(Text.Choice.class::isInstance)) {
            settings.put("choice_score", choiceScore.toString());
        }
        if (texts.stream().anyMatch(Answering::joins)) {
            settings.put("join", Manifest.keyword(join));
        }
        if (!labelNames.names().isEmpty()) {
            labelNames.names().forEach(settings.putArray("label_names")::add);
        }
    }

    private static boolean joins(Text text) {
        return text instanceof Text.Choice || text instanceof Text.Question question && question.generated().isPresent();
    }
}
