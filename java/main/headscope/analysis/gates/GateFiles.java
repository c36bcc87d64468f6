package headscope.analysis.gates;

import headscope.analysis.InputException;
import headscope.analysis.JsonLines;
import headscope.analysis.PromptAnswer;
import headscope.model.ModelConfig;
import headscope.model.Tokenizer;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;

/**
 * A task's files of texts.
 *
 * @param forgotten of a contrast
 */
record GateFiles(GateTask task, JsonLines kept, Optional<JsonLines> forgotten) {
    private static final String FORM = "{\"prompt\": \"...\", \"answer\": \"...\"}";

    static GateFiles read(GateTask task, int limit, InputStream standardInput) {
        JsonLines kept = JsonLines.read(task.texts(), standardInput, FORM).first(limit);
        Optional<JsonLines> forgotten =
                task.forget().map(file -> JsonLines.read(file, standardInput, FORM).first(limit));
        forgotten.ifPresent(partners -> requirePairs(kept, partners));
        return new GateFiles(task, kept, forgotten);
    }

    private static void requirePairs(JsonLines kept, JsonLines forgotten) {
        if (kept.lines().size() != forgotten.lines().size()) {
            throw new InputException("%s: %d texts, but %s has %d; a contrast pairs them line by line".formatted(
                    forgotten.name(), forgotten.lines().size(), kept.name(), kept.lines().size()));
        }
    }

    GateTexts encode(ModelConfig config, Tokenizer tokenizer) {
        return new GateTexts(encode(kept, config, tokenizer),
                forgotten.map(file -> encode(file, config, tokenizer)).orElse(List.of()));
    }

    private static List<PromptAnswer> encode(JsonLines file, ModelConfig config, Tokenizer tokenizer) {
        return file.lines().stream()
                .map(line -> PromptAnswer.of(line, line.string("prompt"), line.string("answer"), config, tokenizer))
                .toList();
    }
}
