package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.render.Box;
import headscope.render.screen.CellValues;
import headscope.render.screen.Scene;
import headscope.result.frame.Frame;
import java.util.Optional;
import java.util.OptionalInt;

/** Layers x heads: a thumbnail of each head's map, its row or column of the picked token, or its value of a metric. */
final class GridPart {
    private GridPart() {}

    static void draw(Canvas canvas, ScreenLayout layout, LiveText text, ViewState state) {
        Box panel = layout.gridPanel();
        canvas.fill(panel, canvas.theme.panel());
        GridGeometry grid = layout.grid(text.source(), state.grid());
        axes(canvas, grid);
        Optional<Frame> frame = text.frame().filter(newest -> newest.cells() > 0); // none if the model fails at once
        if (frame.isPresent() && state.mode() == Mode.MAPS) {
            maps(canvas, panel, grid, text, state, frame.get());
        } else if (frame.isPresent()) {
            metric(canvas, layout, grid, text, state);
        }
        Box chosen = grid.visible(state.head(), state.layer(), 1, 1);
        if (chosen.width() > 0 && chosen.height() > 0) {
            canvas.frame(chosen, canvas.line(2), canvas.theme.accent());
        }
    }

    private static void maps(
            Canvas canvas, Box panel, GridGeometry grid, LiveText text, ViewState state, Frame frame) {
        OptionalInt token = pickedCell(text, state, frame.bin());
        int column = token.isPresent() && state.column() ? token.getAsInt() : -1;
        int row = token.isPresent() && !state.column() ? token.getAsInt() : -1;
        int first = state.firstToken() || column == 0 || frame.cells() == 1 ? 0 : 1;
        canvas.cells(cells(canvas, grid, text.atlasCells(), frame.cells(), first, column, row,
                ColorScale.probability(state)));
        String verb = (state.column() ? "get" : "pay") + (frame.bin() == 1 ? "s" : "");
        String title = token.isEmpty() ? "attention of every head"
                : "attention that %s %s".formatted(Wording.tokens(text, token.getAsInt(), frame.bin()), verb);
        String without = first == 0 ? "" : "without the first %s".formatted(
                frame.bin() == 1 ? "token" : frame.bin() + " tokens");
        title(canvas, panel, title,
                Wording.notes(without, Wording.reduced(frame.cells() / (grid.pitch() - grid.gap()))));
    }

    /** The row and column of cells of the picked token. */
    static OptionalInt pickedCell(LiveText text, ViewState state, int bin) {
        return state.token().isPresent() && state.token().getAsInt() < text.tokens().size()
                ? OptionalInt.of(state.token().getAsInt() / bin)
                : OptionalInt.empty();
    }

    private static void metric(
            Canvas canvas, ScreenLayout layout, GridGeometry grid, LiveText text, ViewState state) {
        Optional<CellValues> values = text.metricCells(state.metric());
        if (values.isPresent()) {
            Scene.Scale scale = ColorScale.metric(state, values.get().values());
            canvas.cells(cells(canvas, grid, values.get(), 1, 0, -1, -1, scale));
            ColorScale.draw(canvas, layout.gridBar(), scale);
        }
        title(canvas, layout.gridPanel(), "%s of every head".formatted(Wording.metric(state.metric())), "");
    }

    private static Scene.Cells cells(
            Canvas canvas, GridGeometry grid, CellValues values, int cells, int first, int column, int row,
            Scene.Scale scale) {
        return new Scene.Cells(values, cells, grid.box(), grid.originX(), grid.originY(), grid.pitch(), grid.gap(), first,
                column, row, scale, canvas.theme.rule(), canvas.theme.panel());
    }

    /** A title on the left, and a note on the right if there is room. */
    static void title(Canvas canvas, Box panel, String title, String note) {
        double baseline = panel.y() + canvas.px(24);
        double left = panel.x() + canvas.px(14);
        double room = panel.width() - canvas.px(28);
        String shown = canvas.shortened(title, Canvas.TITLE_SIZE, room);
        double end = canvas.text(shown, Canvas.TITLE_SIZE, canvas.theme.ink(), left, baseline) + canvas.px(16);
        canvas.right(canvas.shortened(note, Canvas.SMALL_SIZE, left + room - end), Canvas.SMALL_SIZE,
                canvas.theme.pale(), left + room, baseline);
    }

    private static void axes(Canvas canvas, GridGeometry grid) {
        Box box = grid.box();
        int pale = canvas.theme.pale();
        double numbers = box.bottom() + canvas.px(18);
        int widest = Integer.toString(grid.columns() - 1).length();
        int step = LabelStep.of(grid.pitch(), canvas.width("0".repeat(widest) + "  ", Canvas.SMALL_SIZE));
        for (int head = 0; head < grid.columns(); head += step) {
            double middle = grid.left(head + 0.5) - grid.gap() / 2;
            if (middle >= box.x() && middle < box.right()) {
                canvas.center(Integer.toString(head), Canvas.SMALL_SIZE, pale, middle, numbers);
            }
        }
        canvas.center("Head", Canvas.SIZE, pale, box.x() + box.width() / 2.0, numbers + canvas.px(20));
        step = LabelStep.of(grid.pitch(), canvas.lineHeight(Canvas.SMALL_SIZE));
        for (int layer = 0; layer < grid.rows(); layer += step) {
            double middle = grid.top(layer + 0.5) - grid.gap() / 2;
            if (middle >= box.y() && middle < box.bottom()) {
                canvas.right(Integer.toString(layer), Canvas.SMALL_SIZE, pale, box.x() - canvas.px(8),
                        canvas.baseline(middle, Canvas.SMALL_SIZE));
            }
        }
        canvas.upward("Layer", Canvas.SIZE, pale, box.x() - canvas.px(42),
                box.y() + Math.max(0, (box.height() - canvas.width("Layer", Canvas.SIZE)) / 2));
    }
}
