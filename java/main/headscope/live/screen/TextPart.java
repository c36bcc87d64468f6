package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.render.Box;
import java.util.OptionalInt;

/** The text so far: the lines that fit, with the newest and the picked token marked. */
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
        return new Box(panel.x() + canvas.px(14), panel.y() + canvas.px(34), Math.max(1, panel.width() - canvas.px(34)),
                Math.max(1, panel.height() - canvas.px(40)));
    }

    private static int visible(Canvas canvas, Box area) {
        return Math.max(1, area.height() / canvas.px(LINE));
    }

    private static int firstLine(Canvas canvas, Box area, TextFlow lines, ViewState state) {
        int last = Math.max(0, lines.lines() - visible(canvas, area));
        return state.textTop().isEmpty() ? last : Math.min(last, lines.lineOf(state.textTop().getAsInt()));
    }

    Pick at(Canvas canvas, ScreenLayout layout, ViewState state, double x, double y) {
        Box area = area(canvas, layout.text());
        TextFlow lines = flow(canvas, area);
        int visible = visible(canvas, area);
        if (!layout.text().contains(x, y) || y < area.y() || y >= area.bottom()) {
            return new Pick.Nothing();
        }
        if (x >= area.right() && lines.lines() > visible) {
            Box mark = scrollMark(canvas, area, lines, 0);
            double share = (y - mark.y() - mark.height() / 2.0) / Math.max(1, area.height() - mark.height());
            return new Pick.TextBar(top(lines, visible, Math.round(share * (lines.lines() - visible))));
        }
        int line = (int) ((y - area.y()) / canvas.px(LINE));
        int of = firstLine(canvas, area, lines, state) + line;
        OptionalInt token = line < visible && of < lines.lines() ? lines.at(of, x - area.x()) : OptionalInt.empty();
        return token.isPresent() ? new Pick.Token(token.getAsInt()) : new Pick.Nothing();
    }

    /** The uppermost token after a move, as in {@link ViewState#textTop}: empty at the end, which is then followed. */
    OptionalInt moved(Canvas canvas, ScreenLayout layout, ViewState state, TextMove by) {
        Box area = area(canvas, layout.text());
        TextFlow lines = flow(canvas, area);
        int visible = visible(canvas, area);
        return top(lines, visible,
                firstLine(canvas, area, lines, state) + by.lines() + (long) by.pages() * Math.max(1, visible - 1));
    }

    /** @param line the uppermost, which may be before the first or after the last */
    private static OptionalInt top(TextFlow lines, int visible, long line) {
        return line >= lines.lines() - visible ? OptionalInt.empty() : OptionalInt.of(lines.start((int) Math.max(0, line)));
    }

    void draw(Canvas canvas, ScreenLayout layout, ViewState state) {
        Box panel = layout.text();
        canvas.fill(panel, canvas.theme.panel());
        Box area = area(canvas, panel);
        TextFlow lines = flow(canvas, area);
        int first = firstLine(canvas, area, lines, state);
        int end = Math.min(lines.lines(), first + visible(canvas, area));
        canvas.text(canvas.shortened(title(lines, first, end), Canvas.SIZE, panel.width() - canvas.px(28)), Canvas.SIZE,
                canvas.theme.ink(), panel.x() + canvas.px(14), panel.y() + canvas.px(23));
        for (int line = first; line < end; line++) {
            int top = area.y() + (line - first) * canvas.px(LINE);
            for (int token = lines.start(line); token < lines.end(line); token++) {
                token(canvas, area, lines, token, top, state);
            }
        }
        if (end - first < lines.lines()) {
            canvas.cover(scrollMark(canvas, area, lines, first), canvas.theme.rule());
        }
    }

    private String title(TextFlow lines, int first, int end) {
        int tokens = text.tokens().size();
        if (end - first == lines.lines()) {
            return "text so far";
        }
        String shown = end == lines.lines()
                ? "the last %s".formatted(Wording.count(tokens - lines.start(first)))
                : "tokens %s to %s".formatted(Wording.count(lines.start(first)), Wording.count(lines.end(end - 1) - 1));
        return "text so far: %s of %s%s".formatted(
                shown, Wording.count(tokens), end == lines.lines() ? " tokens" : "");
    }

    /** Which lines are shown of more than fit, at the panel's right edge. */
    private static Box scrollMark(Canvas canvas, Box area, TextFlow lines, int first) {
        int visible = visible(canvas, area);
        int height = Math.max(canvas.px(12), Math.round((float) area.height() * visible / lines.lines()));
        int top = Math.round((float) (area.height() - height) * first / (lines.lines() - visible));
        return new Box(area.right() + canvas.px(10), area.y() + top, canvas.px(4), height);
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
