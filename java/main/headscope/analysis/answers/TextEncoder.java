package headscope.analysis.answers;

import headscope.analysis.Entry;
import headscope.analysis.Join;
import headscope.analysis.PromptAnswer;
import headscope.analysis.Text;
import headscope.model.ModelConfig;
import headscope.model.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Tokenizes texts, and rejects those that the model cannot read. */
public record TextEncoder(Answering settings, ModelConfig config, Tokenizer tokenizer) {
    /** @throws headscope.analysis.InputException if the model cannot read the text */
    public TextTokens encode(Text text) {
        TextTokens tokens = switch (text) {
            case Text.Labelled labelled -> new TextTokens.Whole(
                    nonempty(text, labelled.entry().located(() -> tokenizer.encode(labelled.text()))), new int[0]);
            case Text.Question question -> question.generated()
                    .map(answer -> given(question, answer))
                    .orElseGet(() -> new TextTokens.Prompt(prompt(text), settings.maxNewTokens()));
            case Text.Choice choice -> choice.generated()
                    .map(answer -> given(choice, answer))
                    .orElseGet(() -> choices(choice));
        };
        if (tokens.most() > config.maxTokens()) {
            boolean generates = tokens instanceof TextTokens.Prompt;
            throw text.entry().wrong("%d tokens%s; the model takes at most %d: shorten the text%s".formatted(
                    generates ? ((TextTokens.Prompt) tokens).ids().length : tokens.most(),
                    generates ? " and up to %d new ones".formatted(settings.maxNewTokens()) : "",
                    config.maxTokens(), generates ? " or lower --max-new-tokens" : ""));
        }
        return tokens;
    }

    private int[] prompt(Text text) {
        return nonempty(text, text.entry().located(() -> tokenizer.encodePrompt(text.prompt())));
    }

    private static int[] nonempty(Text text, int[] ids) {
        if (ids.length == 0) {
            throw text.entry().wrong("the text has no tokens");
        }
        return ids;
    }

    private TextTokens given(Text.Question question, Text.Generated answer) {
        if (answer.tokens().isEmpty()) {
            return whole(joined(question.entry(), question.prompt(), answer.text(), settings.join()));
        }
        int[] generated = known(question.entry(), answer.tokens());
        if (!tokenizer.decode(generated).stripLeading().startsWith(answer.text().strip())) {
            throw otherTokens(question.entry());
        }
        return new TextTokens.Replay(prompt(question), generated);
    }

    private TextTokens given(Text.Choice choice, Text.Generated answer) {
        if (answer.tokens().isEmpty()) {
            return whole(joined(choice.entry(), choice.prompt(), answer.text(), settings.join()));
        }
        int[] prompt = prompt(choice);
        int[] generated = known(choice.entry(), answer.tokens());
        int[] ids = IntStream.concat(Arrays.stream(prompt), Arrays.stream(generated)).toArray();
        return Arrays.stream(Join.values())
                .map(join -> joined(choice.entry(), choice.prompt(), answer.text(), join))
                .filter(one -> Arrays.equals(one.ids(), ids))
                .findFirst()
                .map(TextEncoder::whole)
                .orElseThrow(() -> otherTokens(choice.entry()));
    }

    private static RuntimeException otherTokens(Entry entry) {
        return entry.wrong("generated_tokens do not match generated with this model's tokenizer: omit them, so that the"
                + " answer is tokenized, or restore the answer");
    }

    private int[] known(Entry entry, List<Integer> tokens) {
        int size = config.vocabulary().size();
        tokens.stream().filter(token -> token >= size).findFirst().ifPresent(token -> {
            throw entry.wrong("generated_tokens has token %d, but the model embeds only %d tokens".formatted(token, size));
        });
        return tokens.stream().mapToInt(Integer::intValue).toArray();
    }

    private static TextTokens whole(PromptAnswer text) {
        return new TextTokens.Whole(text.inputs(), Arrays.copyOfRange(text.ids(), text.start(), text.ids().length));
    }

    /** Scores begin at the first token in which any choice differs from the prompt, so that all have the same condition. */
    private TextTokens choices(Text.Choice choice) {
        List<PromptAnswer> joined = choice.choices().stream()
                .map(one -> joined(choice.entry(), choice.prompt(), one, settings.join()))
                .toList();
        return new TextTokens.Choices(joined.stream().map(PromptAnswer::ids).toList(),
                joined.stream().mapToInt(PromptAnswer::start).min().orElseThrow());
    }

    private PromptAnswer joined(Entry entry, String prompt, String answer, Join join) {
        return PromptAnswer.of(entry, prompt, answer, join, config, tokenizer);
    }
}
