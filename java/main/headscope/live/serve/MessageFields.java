package headscope.live.serve;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;

/** The fields of a viewer's message. Every method throws {@link IllegalArgumentException} if a value is not as required. */
record MessageFields(JsonNode message) {
    /** @param names of all fields but the type */
    static MessageFields of(JsonNode message, String... names) {
        Set<String> expected = new TreeSet<>(Arrays.asList(names));
        expected.add("type");
        Set<String> given = new TreeSet<>();
        message.fieldNames().forEachRemaining(given::add);
        require(given.equals(expected), "the fields must be " + expected);
        return new MessageFields(message);
    }

    /** From 0 to {@code limit}, exclusive. */
    int index(String name, int limit) {
        int value = integer(name);
        require(value >= 0 && value < limit, name + " out of range");
        return value;
    }

    int integer(String name) {
        JsonNode value = message.get(name);
        require(value.isInt(), name + " must be an integer of 32 bits");
        return value.intValue();
    }

    double number(String name, double low, double high) {
        JsonNode value = message.get(name);
        require(value.isNumber() && value.doubleValue() >= low && value.doubleValue() <= high, name + " out of range");
        return value.doubleValue();
    }

    boolean flag(String name) {
        JsonNode value = message.get(name);
        require(value.isBoolean(), name + " must be true or false");
        return value.booleanValue();
    }

    /** Not empty. */
    String text(String name) {
        JsonNode value = message.get(name);
        require(value.isTextual() && !value.textValue().isEmpty(), name + " must be a text that is not empty");
        return value.textValue();
    }

    static void require(boolean condition, String rule) {
        if (!condition) {
            throw new IllegalArgumentException(rule);
        }
    }
}
