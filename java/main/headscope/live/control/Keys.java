package headscope.live.control;

import headscope.live.control.Action.Desk;
import headscope.live.control.Action.Plain;
import headscope.live.control.Action.Scroll;
import headscope.live.control.Action.Walk;
import headscope.live.screen.TextMove;
import headscope.render.window.Input;
import java.util.Map;
import java.util.Optional;

/** Which key does what. {@code KeyHelp} describes them to the user. */
final class Keys {
    private static final Map<Integer, Action> TYPED = Map.ofEntries(
            Map.entry((int) ' ', Plain.PAUSE),
            Map.entry((int) '.', Plain.STEP),
            Map.entry((int) '[', Plain.BACK),
            Map.entry((int) ']', Plain.AHEAD),
            Map.entry((int) '-', Plain.SLOWER),
            Map.entry((int) '+', Plain.FASTER),
            Map.entry((int) 'm', Plain.NEXT_VIEW),
            Map.entry((int) 'M', Plain.PREVIOUS_VIEW),
            Map.entry((int) 'c', Plain.NEXT_COLORS),
            Map.entry((int) 'C', Plain.PREVIOUS_COLORS),
            Map.entry((int) 'l', Plain.LOG),
            Map.entry((int) 's', Plain.FIRST_TOKEN),
            Map.entry((int) 't', Plain.TOKEN_SIDE),
            Map.entry((int) 'd', Plain.DARK),
            Map.entry((int) '0', Plain.WHOLE),
            Map.entry((int) 'h', Plain.HELP),
            Map.entry((int) 'e', Desk.EDIT_PROMPT),
            Map.entry((int) 'p', Desk.PICTURE),
            Map.entry((int) 'r', Desk.RECORD),
            Map.entry((int) 'q', Desk.QUIT));

    private Keys() {}

    /** Upper-case letters do the same as lower-case ones, unless they have an action of their own. */
    static Optional<Action> typed(int codePoint) {
        return Optional.ofNullable(TYPED.get(codePoint))
                .or(() -> Optional.ofNullable(TYPED.get(Character.toLowerCase(codePoint))));
    }

    static Optional<Action> pressed(Input.Key key) {
        return Optional.ofNullable(switch (key) {
            case LEFT -> new Walk(0, -1);
            case RIGHT -> new Walk(0, 1);
            case UP -> new Walk(-1, 0);
            case DOWN -> new Walk(1, 0);
            case PAGE_UP -> new Scroll(TextMove.PAGE_UP);
            case PAGE_DOWN -> new Scroll(TextMove.PAGE_DOWN);
            case HOME -> new Scroll(TextMove.START);
            case END -> new Scroll(TextMove.END);
            case ESCAPE -> Plain.LEAVE;
            default -> null;
        });
    }
}
