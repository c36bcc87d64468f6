package headscope.live.screen;

import headscope.live.screen.ScreenStatus.Mouse;
import headscope.render.Box;
import headscope.render.TextMeasure;
import headscope.render.screen.Scene;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The prompt while the user writes it, over everything else: lines of text and two buttons. */
public final class PromptPanel {
    private static final double SIZE = 14;
    private static final double LINE = 22;
    private static final double WIDTH = 720;
    private static final double PAD = 20;
    private static final int MIN_LINES = 4;
    /** Characters, most of a line. */
    private static final int MEASURED = 128;

    private final PromptEditor editor;
    private final Canvas canvas;
    private final Box screen;
    private final Box panel;
    private final Box field;
    private final Box start;
    private final Box cancel;
    private final List<Line> lines;
    private final int first;
    private final int visible;

    /** UTF-16 positions of a line: its first character, and where its caret may stand last. */
    private record Line(int start, int end) {}

    /** What lies under a pixel. */
    public sealed interface Place {
        record Start() implements Place {}

        record Cancel() implements Place {}

        /** @param position in the text */
        record Text(int position) implements Place {}

        record Elsewhere() implements Place {}
    }

    public PromptPanel(PromptEditor editor, ScreenLayout layout, boolean dark, TextMeasure measure) {
        this.editor = editor;
        this.canvas = new Canvas(Theme.of(dark), layout.scale(), measure);
        this.screen = new Box(0, 0, layout.width(), layout.height());
        int width = Math.min(canvas.px(WIDTH), layout.width() - 2 * canvas.px(PAD));
        int inner = width - 2 * canvas.px(PAD);
        lines = lines(editor.text(), inner - 2 * canvas.px(8));
        int room = (layout.height() - canvas.px(170)) / canvas.px(LINE);
        visible = Math.clamp(lines.size(), Math.min(MIN_LINES, Math.max(1, room)), Math.max(1, room));
        int caret = lineOf(editor.caret());
        first = Math.clamp(caret - visible + 1, 0, Math.max(0, lines.size() - visible));
        int fieldHeight = visible * canvas.px(LINE) + 2 * canvas.px(8);
        int height = fieldHeight + canvas.px(46 + 62);
        panel = new Box((layout.width() - width) / 2, Math.max(0, (layout.height() - height) / 3), width, height);
        field = new Box(panel.x() + canvas.px(PAD), panel.y() + canvas.px(46), inner, fieldHeight);
        int buttons = field.bottom() + canvas.px(16);
        start = new Box(field.right() - canvas.px(100), buttons, canvas.px(100), canvas.px(30));
        cancel = new Box(start.x() - canvas.px(110), buttons, canvas.px(100), canvas.px(30));
    }

    /** Breaks after spaces where a line would be too long, and at the ends of lines. */
    private List<Line> lines(String text, double width) {
        List<Line> found = new ArrayList<>();
        int begin = 0;
        while (begin <= text.length()) {
            int end = text.indexOf('\n', begin);
            end = end < 0 ? text.length() : end;
            int from = begin;
            for (int cut = cut(text, from, end, width); cut < end; cut = cut(text, from, end, width)) {
                found.add(new Line(from, cut));
                from = cut;
            }
            found.add(new Line(from, end));
            begin = end + 1;
        }
        return found;
    }

    /** Where a line ends that begins here: at most at the end of the text's line, which is not measured as a whole. */
    private int cut(String text, int from, int end, double width) {
        int reach = MEASURED;
        while (from + reach < end && canvas.width(text.substring(from, from + reach), SIZE) <= width) {
            reach *= 2;
        }
        if (from + reach >= end && canvas.width(text.substring(from, end), SIZE) <= width) {
            return end;
        }
        int low = from + 1;
        int high = Math.min(end, from + reach);
        while (low < high) { // the longest beginning that fits, at least one character
            int middle = (low + high + 1) / 2;
            if (canvas.width(text.substring(from, middle), SIZE) <= width) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        if (low < end && Character.isLowSurrogate(text.charAt(low))) {
            low = low - 1 > from ? low - 1 : low + 1;
        }
        int space = text.lastIndexOf(' ', low - 1);
        return space > from ? space + 1 : low;
    }

    private int lineOf(int position) {
        int line = 0;
        while (line + 1 < lines.size() && lines.get(line + 1).start <= position) {
            line++;
        }
        return line;
    }

    /** The position that lies some lines below the caret, or above it if negative. */
    public int vertical(int by) {
        Line from = lines.get(lineOf(editor.caret()));
        double x = canvas.width(editor.text().substring(from.start, editor.caret()), SIZE);
        return position(Math.clamp(lineOf(editor.caret()) + by, 0, lines.size() - 1), x);
    }

    /** The first position of the caret's line. */
    public int lineStart() {
        return lines.get(lineOf(editor.caret())).start;
    }

    /** The last position of the caret's line. */
    public int lineEnd() {
        int line = lineOf(editor.caret());
        boolean wrapped = line + 1 < lines.size() && lines.get(line + 1).start == lines.get(line).end;
        return lines.get(line).end - (wrapped ? 1 : 0);
    }

    /** The position of a line that is nearest to a distance from its left end. */
    private int position(int line, double x) {
        Line of = lines.get(line);
        String text = editor.text();
        int nearest = of.start;
        double distance = x;
        for (int i = of.start + 1; i <= of.end; i++) {
            double away = Math.abs(canvas.width(text.substring(of.start, i), SIZE) - x);
            if (away < distance) {
                distance = away;
                nearest = i;
            }
        }
        return nearest;
    }

    public Place at(double x, double y) {
        if (start.contains(x, y)) {
            return new Place.Start();
        }
        if (cancel.contains(x, y)) {
            return new Place.Cancel();
        }
        if (field.contains(x, y)) {
            int line = first + (int) Math.floor((y - field.y() - canvas.px(8)) / canvas.px(LINE));
            return new Place.Text(position(Math.clamp(line, 0, lines.size() - 1), x - field.x() - canvas.px(8)));
        }
        return new Place.Elsewhere();
    }

    public List<Scene.Part> parts(Optional<Mouse> mouse) {
        Theme theme = canvas.theme;
        canvas.fill(screen, 0x000000, 0.5);
        framed(panel, theme.panel());
        double title = panel.y() + canvas.px(30);
        canvas.text("Prompt", Canvas.TITLE_SIZE, theme.ink(), field.x(), title);
        framed(field, theme.background());
        for (int i = 0; i < visible && first + i < lines.size(); i++) {
            line(lines.get(first + i), field.y() + canvas.px(8) + i * canvas.px(LINE));
        }
        Place pointed = mouse.map(at -> at(at.x(), at.y())).orElse(new Place.Elsewhere());
        button(start, "Start", pointed.equals(new Place.Start()), true);
        button(cancel, "Cancel", pointed.equals(new Place.Cancel()), false);
        String keys = "Enter starts    Shift+Enter begins a line    Esc cancels";
        canvas.text(canvas.shortened(keys, Canvas.SMALL_SIZE, cancel.x() - field.x() - canvas.px(16)), Canvas.SMALL_SIZE,
                theme.pale(), field.x(), canvas.baseline(start.y() + start.height() / 2.0, Canvas.SMALL_SIZE));
        return canvas.parts();
    }

    private void line(Line line, int top) {
        String text = editor.text();
        int left = field.x() + canvas.px(8);
        int from = Math.clamp(editor.selectionStart(), line.start, line.end);
        int to = Math.clamp(editor.selectionEnd(), line.start, line.end);
        if (from < to) {
            int x0 = left + (int) Math.round(canvas.width(text.substring(line.start, from), SIZE));
            int x1 = left + (int) Math.round(canvas.width(text.substring(line.start, to), SIZE));
            canvas.fill(new Box(x0, top, x1 - x0, canvas.px(LINE)), canvas.theme.picked(), 0.45);
        }
        canvas.text(text.substring(line.start, line.end), SIZE, canvas.theme.ink(), left,
                canvas.baseline(top + canvas.px(LINE) / 2.0, SIZE));
        if (lines.get(lineOf(editor.caret())).equals(line)) {
            int x = left + (int) Math.round(canvas.width(text.substring(line.start, editor.caret()), SIZE));
            canvas.cover(new Box(x, top + canvas.px(2), canvas.line(1.5), canvas.px(LINE - 4)), canvas.theme.accent());
        }
    }

    private void button(Box box, String label, boolean pointed, boolean first) {
        Theme theme = canvas.theme;
        framed(box, pointed ? theme.rule() : first ? theme.accent() : theme.panel());
        canvas.center(label, Canvas.SIZE, first && !pointed ? theme.onMark() : theme.ink(), box.x() + box.width() / 2.0,
                canvas.baseline(box.y() + box.height() / 2.0, Canvas.SIZE));
    }

    private void framed(Box box, int rgb) {
        int line = canvas.line(1);
        canvas.fill(box, canvas.theme.rule());
        canvas.fill(new Box(box.x() + line, box.y() + line, box.width() - 2 * line, box.height() - 2 * line), rgb);
    }
}
