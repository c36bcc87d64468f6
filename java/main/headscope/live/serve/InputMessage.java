package headscope.live.serve;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.render.window.Input;
import java.util.Locale;

/** Keyboard and mouse input on an image, in JSON; positions are in pixels of the image. */
final class InputMessage {
    /** Beyond the image while a button is down. */
    private static final double MAX_POSITION = 1e5;

    private static final double MAX_STEPS = 100;

    private InputMessage() {}

    /** @throws IllegalArgumentException if the message is not of this kind */
    static Input parse(JsonNode message) {
        return switch (message.path("type").asText()) {
            case "typed" -> {
                int codePoint = MessageFields.of(message, "codePoint").index("codePoint", Character.MAX_CODE_POINT + 1);
                yield new Input.Typed(codePoint);
            }
            case "pressed" -> {
                MessageFields fields = MessageFields.of(message, "key", "shift");
                yield new Input.Pressed(key(fields.text("key")), fields.flag("shift"));
            }
            case "pasted" -> new Input.Pasted(MessageFields.of(message, "text").text("text"));
            case "moved" -> {
                MessageFields fields = MessageFields.of(message, "x", "y");
                yield new Input.Moved(position(fields, "x"), position(fields, "y"));
            }
            case "down" -> {
                MessageFields fields = MessageFields.of(message, "x", "y", "clicks");
                yield new Input.ButtonDown(position(fields, "x"), position(fields, "y"), (int) fields.number("clicks", 1, 2));
            }
            case "up" -> {
                MessageFields fields = MessageFields.of(message, "x", "y");
                yield new Input.ButtonUp(position(fields, "x"), position(fields, "y"));
            }
            case "scrolled" -> {
                MessageFields fields = MessageFields.of(message, "steps", "x", "y");
                yield new Input.Scrolled(
                        fields.number("steps", -MAX_STEPS, MAX_STEPS), position(fields, "x"), position(fields, "y"));
            }
            case "left" -> {
                MessageFields.of(message);
                yield new Input.Left();
            }
            default -> throw new IllegalArgumentException("unknown type");
        };
    }

    private static double position(MessageFields fields, String name) {
        return fields.number(name, -MAX_POSITION, MAX_POSITION);
    }

    private static Input.Key key(String name) {
        try {
            return Input.Key.valueOf(name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException unknown) {
            throw new IllegalArgumentException("unknown key", unknown);
        }
    }
}
