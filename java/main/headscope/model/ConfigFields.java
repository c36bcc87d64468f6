package headscope.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** One JSON object of a checkpoint's settings. Each error names the file, the field and the rule. */
final class ConfigFields {
    private final Path file;
    private final String prefix;
    private final JsonNode node;

    private ConfigFields(Path file, String prefix, JsonNode node) {
        this.file = file;
        this.prefix = prefix;
        this.node = node;
    }

    static ConfigFields read(Path file) {
        try {
            JsonNode node = new ObjectMapper().readTree(Files.readString(file));
            if (!node.isObject()) {
                throw new ModelFormatException(file, "is not a JSON object");
            }
            return new ConfigFields(file, "", node);
        } catch (JsonProcessingException failure) {
            throw new ModelFormatException(file, "is not JSON (line %d, column %d)"
                    .formatted(failure.getLocation().getLineNr(), failure.getLocation().getColumnNr()));
        } catch (IOException failure) {
            throw new ModelFormatException(file, "cannot be read: " + failure);
        }
    }

    ModelFormatException wrong(String field, String rule) {
        return new ModelFormatException(file, prefix + field, rule);
    }

    /** Whether a field is present and not null. */
    boolean has(String field) {
        return node.hasNonNull(field);
    }

    /** Requires a field that may be null but not absent, because its default when absent is not "none". */
    void requirePresent(String field) {
        if (!node.has(field)) {
            throw wrong(field, "is missing; null means none");
        }
    }

    private JsonNode required(String field) {
        if (!has(field)) {
            throw wrong(field, "is missing");
        }
        return node.get(field);
    }

    ConfigFields object(String field) {
        if (!required(field).isObject()) {
            throw wrong(field, "is not an object");
        }
        return new ConfigFields(file, prefix + field + ".", node.get(field));
    }

    String text(String field) {
        if (!required(field).isTextual()) {
            throw wrong(field, "is not a string");
        }
        return node.get(field).textValue();
    }

    String text(String field, String byDefault) {
        return has(field) ? text(field) : byDefault;
    }

    int positive(String field) {
        JsonNode value = required(field);
        if (!value.isInt() || value.intValue() < 1) {
            throw wrong(field, "is not a positive integer: " + value);
        }
        return value.intValue();
    }

    int positive(String field, int byDefault) {
        return has(field) ? positive(field) : byDefault;
    }

    /** A finite number of at least 0. */
    double number(String field) {
        JsonNode value = required(field);
        if (!value.isNumber() || !Double.isFinite(value.doubleValue()) || value.doubleValue() < 0) {
            throw wrong(field, "is not a number >= 0: " + value);
        }
        return value.doubleValue();
    }

    double number(String field, double byDefault) {
        return has(field) ? number(field) : byDefault;
    }

    boolean flag(String field, boolean byDefault) {
        if (!has(field)) {
            return byDefault;
        }
        if (!node.get(field).isBoolean()) {
            throw wrong(field, "is not true or false");
        }
        return node.get(field).booleanValue();
    }

    /** The list in a field, if present. */
    Optional<JsonNode> list(String field) {
        if (!has(field)) {
            return Optional.empty();
        }
        if (!node.get(field).isArray()) {
            throw wrong(field, "is not a list");
        }
        return Optional.of(node.get(field));
    }

    /** The integers of a field that holds one or a list; none if the field is absent. */
    int[] integers(String field) {
        if (!has(field)) {
            return new int[0];
        }
        JsonNode value = node.get(field);
        JsonNode list = value.isArray() ? value : new ObjectMapper().createArrayNode().add(value);
        int[] integers = new int[list.size()];
        for (int i = 0; i < integers.length; i++) {
            if (!list.get(i).isInt()) {
                throw wrong(field, "is not an integer or a list of integers: " + value);
            }
            integers[i] = list.get(i).intValue();
        }
        return integers;
    }
}
