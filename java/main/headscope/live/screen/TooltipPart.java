package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.render.Box;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import java.util.List;

/** What lies under the mouse, in words, next to it. */
final class TooltipPart {
    private static final double LINE = 19;

    private TooltipPart() {}

    static void draw(
            Canvas canvas, ScreenLayout layout, LiveText text, ViewState state, Pick pick, ScreenStatus.Mouse mouse) {
        List<String> lines = lines(text, state, pick);
        if (lines.isEmpty()) {
            return;
        }
        double widest = lines.stream().mapToDouble(line -> canvas.width(line, Canvas.SIZE)).max().orElse(0);
        int width = (int) Math.ceil(widest) + canvas.px(20);
        int height = canvas.px(LINE) * lines.size() + canvas.px(12);
        double right = mouse.x() + canvas.px(16);
        double left = right + width <= layout.width() ? right : mouse.x() - canvas.px(10) - width;
        double below = mouse.y() + canvas.px(18);
        double top = below + height <= layout.height() ? below : mouse.y() - canvas.px(10) - height;
        Box box = new Box((int) Math.max(0, left), (int) Math.max(0, top), width, height);
        int line = canvas.line(1);
        canvas.fill(box, canvas.theme.rule());
        canvas.fill(new Box(box.x() + line, box.y() + line, width - 2 * line, height - 2 * line), canvas.theme.bar());
        for (int i = 0; i < lines.size(); i++) {
            canvas.text(lines.get(i), Canvas.SIZE, canvas.theme.ink(), box.x() + canvas.px(10),
                    canvas.baseline(box.y() + canvas.px(6) + (i + 0.5) * canvas.px(LINE), Canvas.SIZE));
        }
    }

    static List<String> lines(LiveText text, ViewState state, Pick pick) {
        return switch (pick) {
            case Pick.Nothing _, Pick.TextBar _ -> List.of();
            case Pick.Token(int position) ->
                    List.of("token %d: %s".formatted(position, text.tokens().get(position).name()));
            case Pick.MapCell(int row, int column) -> {
                ChosenHead head = text.chosen().orElseThrow();
                yield attention(text, head.layer(), head.head(), row, column, head.bin(),
                        text.mapValue(row, column));
            }
            case Pick.Head head -> head(text, state, head);
        };
    }

    private static List<String> head(LiveText text, ViewState state, Pick.Head head) {
        int index = head.layer() * text.source().heads() + head.head();
        if (state.mode() == Mode.METRIC) {
            String place = "layer %d, head %d".formatted(head.layer(), head.head());
            return text.metric(state.metric())
                    .map(values -> List.of(place, "%s %s".formatted(
                            Wording.metric(state.metric()), Wording.number(values[index]))))
                    .orElse(List.of(place));
        }
        Frame frame = text.frame().orElseThrow();
        int side = text.source().side();
        return attention(text, head.layer(), head.head(), head.row(), head.column(), frame.bin(),
                text.atlas()[(index * side + head.row()) * side + head.column()]);
    }

    private static List<String> attention(
            LiveText text, int layer, int head, int row, int column, int bin, float value) {
        return List.of(
                "layer %d, head %d".formatted(layer, head),
                "%s %s to %s".formatted(Wording.tokens(text, row, bin), Wording.isOneToken(text, row, bin) ? "attends" : "attend",
                        Wording.tokens(text, column, bin)),
                "%s %s".formatted(bin == 1 ? "probability" : text.source().pooling() + " probability",
                        Wording.number(value)));
    }
}
