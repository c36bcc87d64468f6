package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.render.Box;
import headscope.render.screen.CellValues;
import headscope.render.screen.Scene;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame.State;
import java.util.Optional;
import java.util.OptionalInt;

/** The chosen head's map with token labels; the newest row is marked, and that or the column of the picked token. */
final class MapPart {
    private static final double SMALLEST = 9; // of token labels, in units
    private static final double LARGEST = 13;
    private static final double LINE = 1.2; // from one label to the next, in sizes

    private static final double ROUNDING = 0.01; // in pixels

    private MapPart() {}

    static void draw(Canvas canvas, ScreenLayout layout, LiveText text, ViewState state) {
        Box panel = layout.mapPanel();
        canvas.fill(panel, canvas.theme.panel());
        Optional<CellValues> values = text.mapCells();
        if (values.isEmpty()) {
            GridPart.title(canvas, panel, "layer %d, head %d".formatted(state.layer(), state.head()), "");
            boolean failed = text.frame().filter(frame -> frame.state() == State.FAILED).isPresent();
            canvas.center(failed ? "" : text.tokens().isEmpty() ? "waiting for the first token" : "reading", Canvas.SIZE,
                    canvas.theme.pale(), layout.map().x() + layout.map().width() / 2.0,
                    layout.map().y() + layout.map().height() / 2.0);
            return;
        }
        ChosenHead head = text.chosen().orElseThrow();
        int cells = head.columns();
        GridGeometry map = layout.map(cells, state.map());
        Scene.Scale scale = ColorScale.probability(state);
        int first = state.firstToken() || cells == 1 ? 0 : 1;
        canvas.cells(new Scene.Cells(values.get(), cells, map.box(), map.originX(), map.originY(), map.pitch() * cells, 0,
                first, -1, -1, scale, canvas.theme.rule(), canvas.theme.panel()));
        canvas.frame(map.box(), canvas.line(1), canvas.theme.rule());
        OptionalInt picked = GridPart.pickedCell(text, state, head.bin());
        if (picked.isPresent()) {
            int at = picked.getAsInt();
            mark(canvas, state.column() ? map.visible(at, 0, 1, cells) : map.visible(0, at, cells, 1),
                    canvas.theme.picked());
        }
        mark(canvas, map.visible(0, cells - 1, cells, 1), canvas.theme.accent());
        labels(canvas, map, text, head.bin(), picked);
        ColorScale.draw(canvas, layout.mapBar(), scale);
        String notes = Wording.notes(
                head.bin() == 1 ? "" : "%s: %s".formatted(
                        ofGrid(text, head) ? "the grid's cells" : "cell", Wording.cell(text.source().pooling(), head.bin())),
                Wording.reduced(1 / map.pitch()));
        GridPart.title(canvas, panel, "layer %d, head %d".formatted(head.layer(), head.head()),
                notes.isEmpty() ? "row attends to column" : notes);
    }

    /** Whether the map has no finer cells than the grid: that of a long text, or of a head that was not recorded. */
    private static boolean ofGrid(LiveText text, ChosenHead head) {
        return text.frame().filter(frame -> frame.bin() == head.bin() && frame.cells() == head.columns()).isPresent();
    }

    private static void mark(Canvas canvas, Box cells, int rgb) {
        if (cells.width() > 0 && cells.height() > 0) {
            canvas.frame(cells, canvas.line(2), rgb);
        }
    }

    /** Rows on the left, columns below; as many as fit, and always the newest. */
    private static void labels(Canvas canvas, GridGeometry map, LiveText text, int bin, OptionalInt picked) {
        Box box = map.box();
        double pitch = map.pitch();
        double units = Math.clamp(pitch / canvas.size(1) / LINE, SMALLEST, LARGEST);
        double room = canvas.size(units * LINE) - ROUNDING;
        int step = LabelStep.of(pitch, room);
        int newest = map.rows() - 1;
        for (int cell = 0; cell <= newest; cell += cell == newest ? 1 : Math.min(step, newest - cell)) {
            if (cell != newest && (newest - cell) * pitch < room) {
                continue;
            }
            int rgb = cell == newest ? canvas.theme.accent()
                    : picked.isPresent() && picked.getAsInt() == cell ? canvas.theme.picked() : canvas.theme.pale();
            String name = bin == 1 && cell < text.tokens().size()
                    ? text.tokens().get(cell).name() : Integer.toString(cell * bin);
            double y = map.top(cell + 0.5);
            if (y >= box.y() && y <= box.bottom()) {
                canvas.right(canvas.shortened(name, units, canvas.px(70)), units, rgb, box.x() - canvas.px(7),
                        canvas.baseline(y, units));
            }
            double x = map.left(cell + 0.5);
            if (x >= box.x() && x <= box.right()) {
                canvas.upward(canvas.shortened(name, units, canvas.px(56)), units, rgb, x, box.bottom() + canvas.px(7));
            }
        }
    }
}
