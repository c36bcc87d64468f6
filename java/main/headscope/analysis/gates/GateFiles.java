package headscope.analysis.gates;

import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.analysis.JsonLines;
import headscope.analysis.PromptAnswer;
import headscope.model.ModelConfig;
import headscope.model.Tokenizer;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The files of a task.
 *
 * @param retained  texts whose answers are to stay likely
 * @param forgotten texts whose answers are to become unlikely, in a contrast
 */
record GateFiles(GateTask task, JsonLines retained, Optional<JsonLines> forgotten) {
    private static final String FORM = "{\"prompt\": \"...\", \"answer\": \"...\"}";

    static GateFiles read(GateTask task, int limit, InputStream standardInput) {
        JsonLines retained = JsonLines.read(task.texts(), standardInput, FORM).first(limit);
        Optional<JsonLines> forgotten =
                task.forget().map(file -> JsonLines.read(file, standardInput, FORM).first(limit));
        forgotten.ifPresent(partners -> requirePairs(retained, partners));
        return new GateFiles(task, retained, forgotten);
    }

    private static void requirePairs(JsonLines retained, JsonLines forgotten) {
        if (retained.lines().size() != forgotten.lines().size()) {
            throw new InputException("%s: %d texts, but %s has %d; a contrast pairs them line by line".formatted(
                    forgotten.name(), forgotten.lines().size(), retained.name(), retained.lines().size()));
        }
    }

    GateTexts encode(Join join, ModelConfig config, Tokenizer tokenizer) {
        return new GateTexts(encode(retained, join, config, tokenizer),
                forgotten.map(file -> encode(file, join, config, tokenizer)).orElse(List.of()));
    }

    private static PromptAnswer read(
            JsonLines.Line line, Join join, ModelConfig config, Tokenizer tokenizer) {
        PromptAnswer read =
                PromptAnswer.of(line, line.string("prompt"), line.string("answer"), join, config, tokenizer);
        line.requireUsed(Set.of("prompt", "answer"));
        return read;
    }

    private static List<PromptAnswer> encode(
            JsonLines file, Join join, ModelConfig config, Tokenizer tokenizer) {
        return file.lines().stream()
                .map(line -> read(line, join, config, tokenizer))
                .toList();
    }
}
