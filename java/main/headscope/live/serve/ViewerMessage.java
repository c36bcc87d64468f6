package headscope.live.serve;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.result.frame.Command;
import headscope.result.frame.FrameSource;
import java.util.Set;
import java.util.TreeSet;

/** What a viewer sends, in JSON; see {@code docs/live-protocol.md}. */
sealed interface ViewerMessage {
    /** Confirms this frame and all before it. */
    record Confirmation(int frame) implements ViewerMessage {}

    /** To be carried out by the model. */
    record Order(Command command) implements ViewerMessage {}

    /** Asks for a head's metric over the tokens so far. */
    record CurveRequest(String metric, int layer, int head) implements ViewerMessage {}

    ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    /** @throws IllegalArgumentException if the text is no such message, or names a head or a metric that does not exist */
    static ViewerMessage parse(String text, FrameSource source) {
        JsonNode message;
        try {
            message = JSON.readTree(text);
        } catch (JsonProcessingException invalid) {
            throw new IllegalArgumentException("no JSON", invalid);
        }
        String type = message.path("type").asText();
        return switch (type) {
            case "confirm" -> new Confirmation(number(fields(message, "frame"), "frame", Integer.MAX_VALUE));
            case "pause" -> new Order(empty(message, new Command.Pause()));
            case "resume" -> new Order(empty(message, new Command.Resume()));
            case "step" -> new Order(empty(message, new Command.Step()));
            case "end" -> new Order(empty(message, new Command.End()));
            case "stop" -> new Order(empty(message, new Command.Stop()));
            case "restart" -> new Order(new Command.Restart(string(fields(message, "prompt"), "prompt")));
            case "pick" -> {
                fields(message, "layer", "head");
                yield new Order(new Command.Pick(
                        number(message, "layer", source.layers()), number(message, "head", source.heads())));
            }
            case "curve" -> {
                String metric = string(fields(message, "metric", "layer", "head"), "metric");
                require(source.metrics().stream().anyMatch(known -> known.key().equals(metric)), "unknown metric");
                yield new CurveRequest(
                        metric, number(message, "layer", source.layers()), number(message, "head", source.heads()));
            }
            default -> throw new IllegalArgumentException("unknown type");
        };
    }

    private static Command empty(JsonNode message, Command command) {
        fields(message);
        return command;
    }

    private static JsonNode fields(JsonNode message, String... names) {
        Set<String> expected = new TreeSet<>(Set.of(names));
        expected.add("type");
        Set<String> given = new TreeSet<>();
        message.fieldNames().forEachRemaining(given::add);
        require(given.equals(expected), "the fields must be " + expected);
        return message;
    }

    private static int number(JsonNode message, String name, int limit) {
        JsonNode value = message.get(name);
        require(value.isInt() && value.intValue() >= 0 && value.intValue() < limit, name + " out of range");
        return value.intValue();
    }

    private static String string(JsonNode message, String name) {
        JsonNode value = message.get(name);
        require(value.isTextual() && !value.textValue().isEmpty(), name + " must be a text that is not empty");
        return value.textValue();
    }

    private static void require(boolean condition, String rule) {
        if (!condition) {
            throw new IllegalArgumentException(rule);
        }
    }
}
