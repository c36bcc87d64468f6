package headscope.analysis;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A file of prompts and labelled texts, as JSON lines. */
public record TextFile(JsonLines file, List<Text> texts) {
    private static final String FORMS =
            "{\"prompt\": \"...\", \"answer\": \"...\"} or {\"text\": \"...\", \"label\": 0 or 1}";

    /** @param source a path, or "-" for standard input */
    public static TextFile read(String source, InputStream standardInput) {
        JsonLines file = JsonLines.read(source, standardInput, FORMS);
        return new TextFile(file, file.lines().stream().map(TextFile::parse).toList());
    }

    public String name() {
        return file.name();
    }

    /** Only the first texts; 0 for all. */
    public TextFile first(int limit) {
        JsonLines first = file.first(limit);
        return new TextFile(first, texts.subList(0, first.lines().size()));
    }

    /** @throws InputException if every text is labelled and all labels are equal; checked before the model runs */
    public void requireBothLabels() {
        List<Integer> labels = texts.stream()
                .map(text -> text instanceof Text.Labelled labelled ? labelled.label() : -1)
                .distinct()
                .toList();
        if (labels.size() == 1 && labels.getFirst() >= 0) {
            throw new InputException("%s: all %d texts have label %d; a test needs both classes"
                    .formatted(name(), texts.size(), labels.getFirst()));
        }
    }

    /** One string, or several of which each is right. */
    private static List<String> answers(JsonLines.Line line) {
        if (!(line.json().get("answer") instanceof ArrayNode several)) {
            return List.of(line.string("answer"));
        }
        List<String> answers = new ArrayList<>();
        for (JsonNode one : several) {
            if (!one.isTextual()) {
                throw line.wrong("answer must be a string or a list of strings");
            }
            answers.add(one.textValue());
        }
        if (answers.isEmpty()) {
            throw line.wrong("answer is an empty list; give at least one string");
        }
        return List.copyOf(answers);
    }

    private static Text parse(JsonLines.Line line) {
        JsonNode json = line.json();
        if (json.has("prompt") && json.has("answer") && !json.has("text")) {
            line.requireUsed(Set.of("prompt", "answer"));
            return new Text.Question(line.number(), line.string("prompt"), answers(line));
        }
        if (json.has("text") && json.has("label") && !json.has("prompt")) {
            line.requireUsed(Set.of("text", "label"));
            JsonNode label = json.get("label");
            if (!label.isInt() || label.intValue() < 0 || label.intValue() > 1) {
                throw line.wrong("label must be 0 or 1, not " + JsonLines.printable(label));
            }
            return new Text.Labelled(line.number(), line.string("text"), label.intValue());
        }
        throw line.wrong("must be " + FORMS);
    }
}
