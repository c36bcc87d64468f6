package headscope.analysis;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.model.text.TextException;
import headscope.tensor.Printable;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * One entry of a file of texts or labels: a line of JSON, an element of a JSON array, or a row of CSV.
 *
 * @param file  the file's name
 * @param place where in the file, such as "line 3"
 * @param json  its fields; those of CSV are strings
 */
public record Entry(String file, String place, ObjectNode json) {
    private static final int MAX_VALUE = 60;

    /** Fields that determine a text or its label in some analysis. Where they would be ignored, they are rejected. */
    private static final Set<String> DECISIVE =
            Set.of("prompt", "answer", "text", "label", "choices", "generated", "generated_tokens", "messages");

    /** The value of a required string field. */
    public String string(String field) {
        JsonNode value = json.path(field);
        if (!value.isTextual()) {
            throw wrong(field + (value.isMissingNode()
                    ? " is missing; if it has another name in the file, give --fields NAME=" + field
                    : " must be a string"));
        }
        return value.textValue();
    }

    /** Whether a field is there and not null. */
    public boolean has(String field) {
        return json.hasNonNull(field);
    }

    /** The name of the text, a string or a whole number; empty if it has none. */
    public Optional<String> id() {
        JsonNode id = json.path("id");
        if (id.isMissingNode() || id.isNull()) {
            return Optional.empty();
        }
        if (!id.isTextual() && !id.isIntegralNumber() || id.asText().isBlank()) {
            throw wrong("id must be a string or a whole number");
        }
        return Optional.of(id.asText());
    }

    /**
     * Rejects fields that would silently be ignored: those that determine a text in another form, and misspellings of
     * the fields in use, such as "Groups" or "group". All other fields are annotations.
     *
     * @param used fields that are read from this entry
     */
    public void requireUsed(Set<String> used) {
        for (String key : (Iterable<String>) json::fieldNames) {
            if (used.contains(key)) {
                continue;
            }
            if (DECISIVE.contains(key)) {
                throw wrong("%s would be ignored beside %s: remove it, or give --fields %s=-".formatted(
                        Printable.quote(key), used.stream().filter(json::has).sorted().toList(), key));
            }
            used.stream().filter(known -> isMisspelt(key, known)).findFirst().ifPresent(known -> {
                throw wrong("%s would be ignored; write \"%s\", or give --fields %s=-".formatted(Printable.quote(key), known, key));
            });
        }
    }

    private static boolean isMisspelt(String key, String known) {
        String plain = key.strip().toLowerCase(Locale.ROOT);
        return plain.equals(known) || plain.equals(known + "s") || (plain + "s").equals(known);
    }

    /** Names this entry in the exception if its text cannot be used. */
    public <T> T located(Supplier<T> reading) {
        try {
            return reading.get();
        } catch (TextException unusable) {
            throw wrong(unusable.getMessage());
        }
    }

    public InputException wrong(String rule) {
        return new InputException("%s: %s: %s".formatted(file, place, rule));
    }

    /** A value for a message. */
    static String printable(JsonNode value) {
        return Printable.line(value.toString(), MAX_VALUE);
    }
}
