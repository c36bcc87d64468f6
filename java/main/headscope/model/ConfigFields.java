package headscope.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.InputFile;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.StrictJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One JSON object of a checkpoint's settings. Each error names the file, the field and the rule. A null is an error
 * except in methods that return an Optional.
 */
final class ConfigFields {
    private static final long MAX_BYTES = 16 * InputFile.MIB;
    private static final int MAX_LAYERS = 10_000;

    /** Maximum number of characters of a value in a message. */
    private static final int MAX_VALUE = 60;

    private final Path file;
    private final String prefix;
    private final ObjectNode node;

    private ConfigFields(Path file, String prefix, ObjectNode node) {
        this.file = file;
        this.prefix = prefix;
        this.node = node;
    }

    static ConfigFields read(Path file) {
        try {
            JsonNode node = StrictJson.read(file, MAX_BYTES);
            if (!(node instanceof ObjectNode object)) {
                throw new ModelFormatException(file, "is not a JSON object");
            }
            return new ConfigFields(file, "", object);
        } catch (IOException failure) {
            throw new ModelFormatException(file, StrictJson.fault(failure));
        }
    }

    /** The same object, completed by defaults. */
    ConfigFields withDefaults(ObjectNode defaults, Map<String, String> aliases) {
        ObjectNode completed = defaults.deepCopy();
        completed.setAll(node);
        aliases.forEach((alias, name) -> {
            if (node.has(alias)) {
                completed.set(name, node.get(alias));
            }
        });
        return new ConfigFields(file, prefix, completed);
    }

    /** The same object, in which a field that is absent has the value of another object's field. */
    ConfigFields inherit(String field, ConfigFields from, String inherited) {
        if (node.has(field) || !from.node.has(inherited)) {
            return this;
        }
        ObjectNode completed = node.deepCopy();
        completed.set(field, from.node.get(inherited));
        return new ConfigFields(file, prefix, completed);
    }

    ConfigFields without(String field) {
        ObjectNode rest = node.deepCopy();
        rest.remove(field);
        return new ConfigFields(file, prefix, rest);
    }

    /** The same object with the fields of another, which take precedence. */
    ConfigFields updatedBy(ConfigFields other) {
        ObjectNode updated = node.deepCopy();
        updated.setAll(other.node);
        return new ConfigFields(file, prefix, updated);
    }

    ModelFormatException wrong(String field, String rule) {
        return new ModelFormatException(file, prefix + field, rule);
    }

    /** Whether a field has another number, a text, or a list or an object that is not empty. */
    boolean isOtherThan(double number, String field) {
        JsonNode value = node.path(field);
        return value.isContainerNode() ? !value.isEmpty() : value.isTextual() || value.isNumber() && value.doubleValue() != number;
    }

    /** For example "min_length": 5. */
    String show(String field) {
        return "%s %s".formatted(field, printable(node.get(field)));
    }

    static String printable(JsonNode value) {
        return Printable.line(value.toString(), MAX_VALUE);
    }

    boolean isEmpty() {
        return node.isEmpty();
    }

    /** Whether a field is present, or has a default. */
    boolean has(String field) {
        return node.has(field);
    }

    /** Whether a field is present and not null. */
    boolean hasValue(String field) {
        return node.hasNonNull(field);
    }

    /** @throws ModelFormatException if the field is absent or null */
    JsonNode value(String field) {
        if (!node.has(field)) {
            throw wrong(field, "is missing");
        }
        if (node.get(field).isNull()) {
            throw wrong(field, "must not be null");
        }
        return node.get(field);
    }

    ConfigFields object(String field) {
        if (!(value(field) instanceof ObjectNode object)) {
            throw wrong(field, "is not an object");
        }
        return new ConfigFields(file, prefix + field + ".", object);
    }

    /** The object in a field, or the default if the field is absent or null. */
    ConfigFields object(String field, ObjectNode byDefault) {
        return hasValue(field) ? object(field) : new ConfigFields(file, prefix + field + ".", byDefault);
    }

    Optional<ConfigFields> findObject(String field) {
        return hasValue(field) ? Optional.of(object(field)) : Optional.empty();
    }

    String text(String field) {
        if (!value(field).isTextual()) {
            throw wrong(field, "is not a string");
        }
        return node.get(field).textValue();
    }

    /** A number of layers: small enough for lists with one element per layer. */
    int layers(String field) {
        int layers = positive(field);
        if (layers > MAX_LAYERS) {
            throw wrong(field, "%d layers; at most %d are supported".formatted(layers, MAX_LAYERS));
        }
        return layers;
    }

    int positive(String field) {
        return integer(field, 1, "is not a positive integer: ");
    }

    OptionalInt findPositive(String field) {
        return hasValue(field) ? OptionalInt.of(positive(field)) : OptionalInt.empty();
    }

    /** An integer of at least 0. */
    int count(String field) {
        return integer(field, 0, "is not an integer >= 0: ");
    }

    private int integer(String field, int min, String rule) {
        JsonNode value = value(field);
        if (!value.isInt() || value.intValue() < min) {
            throw wrong(field, rule + printable(value));
        }
        return value.intValue();
    }

    /** A finite number of at least 0. */
    double number(String field) {
        JsonNode value = value(field);
        if (!value.isNumber() || !Double.isFinite(value.doubleValue()) || value.doubleValue() < 0) {
            throw wrong(field, "is not a number >= 0: " + printable(value));
        }
        return value.doubleValue();
    }

    double positiveNumber(String field) {
        double number = number(field);
        if (number == 0) {
            throw wrong(field, "must be greater than 0");
        }
        return number;
    }

    boolean flag(String field) {
        if (!value(field).isBoolean()) {
            throw wrong(field, "is not true or false");
        }
        return node.get(field).booleanValue();
    }

    /** The list in a field, if present. */
    Optional<JsonNode> list(String field) {
        if (!hasValue(field)) {
            return Optional.empty();
        }
        if (!node.get(field).isArray()) {
            throw wrong(field, "is not a list");
        }
        return Optional.of(node.get(field));
    }

    /** The integers of a field that holds one or a list; none if the field is absent. */
    int[] integers(String field) {
        if (!hasValue(field)) {
            return new int[0];
        }
        JsonNode value = node.get(field);
        JsonNode list = value.isArray() ? value : new ObjectMapper().createArrayNode().add(value);
        int[] integers = new int[list.size()];
        for (int i = 0; i < integers.length; i++) {
            if (!list.get(i).isInt()) {
                throw wrong(field, "is not an integer or a list of integers: " + printable(value));
            }
            integers[i] = list.get(i).intValue();
        }
        return integers;
    }
}
