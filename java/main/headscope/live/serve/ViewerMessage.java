package headscope.live.serve;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.figure.Colormap;
import headscope.live.Camera;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.render.window.Input;
import headscope.result.frame.Command;
import headscope.result.frame.FrameSource;
import java.util.Locale;
import java.util.OptionalInt;

/** What a viewer sends, in JSON; see {@code docs/live-protocol.md}. */
sealed interface ViewerMessage {
    /** Confirms this frame or image and all before it. */
    record Confirmation(int frame) implements ViewerMessage {}

    /** To be carried out by the model. */
    record Order(Command command) implements ViewerMessage {}

    /** Asks for a head's metric over the tokens so far. */
    record CurveRequest(String metric, int layer, int head) implements ViewerMessage {}

    /** Asks for a picture for print of what is seen. */
    record PictureRequest(ViewState view) implements ViewerMessage {}

    /** Begins or ends a recording on the server. */
    record RecordingRequest() implements ViewerMessage {}

    /** The size of images, in pixels. */
    record Size(int width, int height, double scale) implements ViewerMessage {}

    /** What the user does with an image. */
    record UserInput(Input input) implements ViewerMessage {}

    ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    /** Images of a screen, in pixels. */
    int MIN_SIDE = 64;

    int MAX_SIDE = 4096;

    /** A map is not enlarged further. */
    double MAX_ZOOM = 1e6;

    double MAX_SPEED_UP = 1000;

    /** @throws IllegalArgumentException if the text is no such message, or names a head or a metric that does not exist */
    static ViewerMessage parse(String text, FrameSource source) {
        JsonNode message;
        try {
            message = JSON.readTree(text);
        } catch (JsonProcessingException invalid) {
            throw new IllegalArgumentException("no JSON", invalid);
        }
        return switch (message.path("type").asText()) {
            case "confirm" -> new Confirmation(MessageFields.of(message, "frame").index("frame", Integer.MAX_VALUE));
            case "pause" -> order(message, new Command.Pause());
            case "resume" -> order(message, new Command.Resume());
            case "step" -> order(message, new Command.Step());
            case "end" -> order(message, new Command.End());
            case "stop" -> order(message, new Command.Stop());
            case "restart" -> new Order(new Command.Restart(MessageFields.of(message, "prompt").text("prompt")));
            case "move" -> new Order(new Command.Move(MessageFields.of(message, "tokens").integer("tokens")));
            case "speed" -> new Order(new Command.Speed(
                    MessageFields.of(message, "times").number("times", 1 / MAX_SPEED_UP, MAX_SPEED_UP)));
            case "pick" -> {
                MessageFields fields = MessageFields.of(message, "layer", "head");
                yield new Order(new Command.Pick(
                        fields.index("layer", source.layers()), fields.index("head", source.heads())));
            }
            case "curve" -> {
                MessageFields fields = MessageFields.of(message, "metric", "layer", "head");
                yield new CurveRequest(metric(fields, source), fields.index("layer", source.layers()),
                        fields.index("head", source.heads()));
            }
            case "record" -> {
                MessageFields.of(message);
                yield new RecordingRequest();
            }
            case "picture" -> new PictureRequest(view(message, source));
            case "size" -> {
                MessageFields fields = MessageFields.of(message, "width", "height", "scale");
                yield new Size(side(fields, "width"), side(fields, "height"),
                        fields.number("scale", 0.1, 10));
            }
            default -> new UserInput(InputMessage.parse(message));
        };
    }

    private static ViewerMessage order(JsonNode message, Command command) {
        MessageFields.of(message);
        return new Order(command);
    }

    private static int side(MessageFields fields, String name) {
        return (int) fields.number(name, MIN_SIDE, MAX_SIDE);
    }

    private static String metric(MessageFields fields, FrameSource source) {
        String metric = fields.text("metric");
        MessageFields.require(source.metrics().stream().anyMatch(known -> known.key().equals(metric)), "unknown metric");
        return metric;
    }

    /** What the page shows. */
    private static ViewState view(JsonNode message, FrameSource source) {
        MessageFields fields = MessageFields.of(
                message, "mode", "metric", "colormap", "log", "firstToken", "token", "column", "x", "y", "zoom");
        String mode = fields.text("mode");
        MessageFields.require(mode.equals("maps") || mode.equals("metric"), "unknown mode");
        Colormap colormap = Colormap.all().stream().filter(map -> map.name().equals(fields.text("colormap"))).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown colour map"));
        int token = fields.integer("token");
        return ViewState.of(metric(fields, source))
                .withGridOf(Mode.valueOf(mode.toUpperCase(Locale.ROOT)), metric(fields, source))
                .withColormap(colormap)
                .withLog(fields.flag("log"))
                .withFirstToken(fields.flag("firstToken"))
                .withToken(token < 0 ? OptionalInt.empty() : OptionalInt.of(token), fields.flag("column"))
                .withMap(new Camera(fields.number("x", 0, 1), fields.number("y", 0, 1), fields.number("zoom", 1, MAX_ZOOM)));
    }
}
