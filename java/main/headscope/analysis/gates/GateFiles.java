package headscope.analysis.gates;

import headscope.analysis.Entries;
import headscope.analysis.Entry;
import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.analysis.PromptAnswer;
import headscope.analysis.RunRequest;
import headscope.model.ModelConfig;
import headscope.model.text.Tokenizer;
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
record GateFiles(GateTask task, Entries retained, Optional<Entries> forgotten) {
    private static final String FORM = "{\"prompt\": \"...\", \"answer\": \"...\"}";

    static GateFiles read(GateTask task, RunRequest run, int limit, InputStream standardInput) {
        Entries retained = run.read(task.texts(), standardInput, FORM).first(limit);
        Optional<Entries> forgotten =
                task.forget().map(file -> run.read(file, standardInput, FORM).first(limit));
        forgotten.ifPresent(partners -> requirePairs(retained, partners));
        return new GateFiles(task, retained, forgotten);
    }

    private static void requirePairs(Entries retained, Entries forgotten) {
        if (retained.entries().size() != forgotten.entries().size()) {
            throw new InputException("%s: %d texts, but %s has %d; a contrast pairs them line by line".formatted(
                    forgotten.name(), forgotten.entries().size(), retained.name(), retained.entries().size()));
        }
    }

    GateTexts encode(Join join, ModelConfig config, Tokenizer tokenizer) {
        return new GateTexts(encode(retained, join, config, tokenizer),
                forgotten.map(file -> encode(file, join, config, tokenizer)).orElse(List.of()));
    }

    private static PromptAnswer read(
            Entry entry, Join join, ModelConfig config, Tokenizer tokenizer) {
        PromptAnswer read =
                PromptAnswer.of(entry, entry.string("prompt"), entry.string("answer"), join, config, tokenizer);
        entry.requireUsed(Set.of("prompt", "answer"));
        return read;
    }

    private static List<PromptAnswer> encode(
            Entries file, Join join, ModelConfig config, Tokenizer tokenizer) {
        return file.entries().stream()
                .map(entry -> read(entry, join, config, tokenizer))
                .toList();
    }
}
