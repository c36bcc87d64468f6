package headscope.analysis;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts as JSON lines.
 *
 * @param name   for messages and the manifest
 * @param digest SHA-256 of the bytes, in hexadecimal
 */
record TextFile(String name, String digest, List<Text> texts) {
    /** @param source a path, or "-" for standard input */
    static TextFile read(String source, InputStream standardInput) {
        boolean piped = source.equals("-");
        String name = piped ? "standard input" : source;
        byte[] bytes;
        try {
            bytes = piped ? standardInput.readAllBytes() : Files.readAllBytes(Path.of(source));
        } catch (NoSuchFileException missing) {
            throw new InputException(source + ": no such file; give a file of JSON lines");
        } catch (IOException failure) {
            throw new InputException(source + ": cannot be read: " + failure.getMessage());
        }
        return new TextFile(name, Digest.of(bytes), parse(name, bytes));
    }

    /** The first texts only; 0 = all. */
    TextFile first(int limit) {
        return limit == 0 || limit >= texts.size() ? this : new TextFile(name, digest, texts.subList(0, limit));
    }

    /** Labels that the file gives are known to be of one class before the model has run. */
    void requireBothLabels() {
        List<Integer> labels = texts.stream()
                .map(text -> text instanceof Text.Labelled labelled ? labelled.label() : -1)
                .distinct()
                .toList();
        if (labels.size() == 1 && labels.getFirst() >= 0) {
            throw new InputException("%s: all %d texts have label %d; a test needs both classes"
                    .formatted(name, texts.size(), labels.getFirst()));
        }
    }

    private static List<Text> parse(String name, byte[] bytes) {
        String content;
        try {
            content = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException failure) {
            throw new InputException(name + ": is not UTF-8 text");
        }
        ObjectMapper json = new ObjectMapper();
        List<Text> texts = new ArrayList<>();
        String[] lines = content.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            if (!lines[i].isBlank()) {
                texts.add(parse(json, name, i + 1, lines[i]));
            }
        }
        if (texts.isEmpty()) {
            throw new InputException(name + ": holds no texts; a line is " + FORMS);
        }
        return List.copyOf(texts);
    }

    private static final String FORMS =
            "{\"prompt\": \"...\", \"answer\": \"...\"} or {\"text\": \"...\", \"label\": 0 or 1}";

    private static Text parse(ObjectMapper json, String name, int line, String content) {
        JsonNode node;
        try {
            node = json.readTree(content);
        } catch (JsonProcessingException failure) {
            throw wrong(name, line, "is not JSON (column %d); a line is %s".formatted(failure.getLocation().getColumnNr(), FORMS));
        }
        if (node.isObject() && node.has("prompt") && node.has("answer") && !node.has("text")) {
            return new Text.Question(line, string(node, "prompt", name, line), string(node, "answer", name, line));
        }
        if (node.isObject() && node.has("text") && node.has("label") && !node.has("prompt")) {
            JsonNode label = node.get("label");
            if (!label.isInt() || label.intValue() < 0 || label.intValue() > 1) {
                throw wrong(name, line, "label must be 0 or 1, not " + label);
            }
            return new Text.Labelled(line, string(node, "text", name, line), label.intValue());
        }
        throw wrong(name, line, "must be " + FORMS);
    }

    private static String string(JsonNode node, String field, String name, int line) {
        if (!node.get(field).isTextual()) {
            throw wrong(name, line, field + " must be a string");
        }
        return node.get(field).textValue();
    }

    static InputException wrong(String name, int line, String rule) {
        return new InputException("%s: line %d: %s".formatted(name, line, rule));
    }
}
