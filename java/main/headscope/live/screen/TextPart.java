package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.render.Box;
import java.util.OptionalInt;

/** The text so far: the last lines that fit, with the newest and the picked token marked. */
final class TextPart {
    private static final double SIZE = 14;
    private static final double LINE = 24;
    private static final double GAP = 9;

    private final LiveText text;
    private TextFlow flow = new TextFlow(0, 0, _ -> 0);
    private double flowScale;

    TextPart(LiveText text) {
        this.text = text;
    }

    /** The lines for a layout, up to date. */
    private TextFlow flow(Canvas canvas, Box area) {
        if (!flow.hasWidth(area.width()) || flowScale != canvas.size(1)) {
            flow = new TextFlow(area.width(), canvas.px(GAP), name -> canvas.width(name, SIZE));
            flowScale = canvas.size(1);
        }
        flow.update(text.tokens());
        return flow;
    }

    private static Box area(Canvas canvas, Box panel) {
        return new Box(panel.x() + canvas.px(14), panel.y() + canvas.px(34), Math.max(1, panel.width() - canvas.px(28)),
                Math.max(1, panel.height() - canvas.px(40)));
    }

    private static int firstLine(Canvas canvas, Box area, TextFlow lines) {
        return Math.max(0, lines.lines() - Math.max(1, area.height() / canvas.px(LINE)));
    }

    OptionalInt at(Canvas canvas, ScreenLayout layout, double x, double y) {
        Box area = area(canvas, layout.text());
        TextFlow lines = flow(canvas, area);
        int line = firstLine(canvas, area, lines) + (int) Math.floor((y - area.y()) / canvas.px(LINE));
        return y < area.y() || line >= lines.lines() ? OptionalInt.empty() : lines.at(line, x - area.x());
    }

    void draw(Canvas canvas, ScreenLayout layout, ViewState state) {
        Box panel = layout.text();
        canvas.fill(panel, canvas.theme.panel());
        Box area = area(canvas, panel);
        TextFlow lines = flow(canvas, area);
        int first = firstLine(canvas, area, lines);
        int tokens = text.tokens().size();
        int hidden = lines.lines() == 0 ? 0 : lines.start(first);
        canvas.text(hidden == 0 ? "text so far" : "text so far: the last %s of %s tokens".formatted(
                        Wording.count(tokens - hidden), Wording.count(tokens)),
                Canvas.SIZE, canvas.theme.ink(), panel.x() + canvas.px(14), panel.y() + canvas.px(23));
        for (int line = first; line < lines.lines(); line++) {
            int top = area.y() + (line - first) * canvas.px(LINE);
            for (int token = lines.start(line); token < lines.end(line); token++) {
                token(canvas, area, lines, token, top, state);
            }
        }
    }

    private void token(Canvas canvas, Box area, TextFlow lines, int token, int top, ViewState state) {
        boolean newest = token == text.tokens().size() - 1;
        boolean picked = state.token().isPresent() && state.token().getAsInt() == token;
        double left = area.x() + lines.left(token);
        if (newest || picked) {
            int pad = canvas.px(3);
            int start = (int) Math.floor(left) - pad;
            int end = (int) Math.ceil(area.x() + lines.right(token)) + pad;
            canvas.cover(new Box(start, top + canvas.px(1), end - start, canvas.px(LINE - 3)),
                    picked ? canvas.theme.picked() : canvas.theme.accent());
        }
        String name = canvas.shortened(text.tokens().get(token).name(), SIZE, area.width());
        canvas.text(name, SIZE, newest || picked ? canvas.theme.onMark() : canvas.theme.ink(), left,
                canvas.baseline(top + canvas.px(LINE) / 2.0, SIZE));
    }
}
