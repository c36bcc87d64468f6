package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.render.TextMeasure;
import headscope.render.screen.Scene;
import headscope.result.frame.Frame;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** From a text and how it is looked at to a scene, and from a pixel back to what it shows. */
final class LiveScene {
    private final LiveText text;
    private final TextMeasure measure;
    private final TextPart words;

    LiveScene(LiveText text, TextMeasure measure) {
        this.text = text;
        this.measure = measure;
        this.words = new TextPart(text);
    }

    Scene of(ViewState state, ScreenStatus status, ScreenLayout layout) {
        return of(state, status, layout, List.of());
    }

    /** @param over what lies over the screen, in drawing order */
    Scene of(ViewState state, ScreenStatus status, ScreenLayout layout, List<Scene.Part> over) {
        Canvas canvas = canvas(state, layout);
        GridPart.draw(canvas, layout, text, state);
        MapPart.draw(canvas, layout, text, state);
        CurvesPart.draw(canvas, layout, text, state);
        words.draw(canvas, layout, state);
        StatusPart.draw(canvas, layout, text, state, status);
        Canvas overlay = canvas(state, layout);
        if (state.help()) {
            HelpPart.draw(overlay, layout);
        } else if (status.mouse().isPresent()) {
            ScreenStatus.Mouse mouse = status.mouse().get();
            TooltipPart.draw(overlay, layout, text, state, pick(state, layout, mouse.x(), mouse.y()), mouse);
        }
        List<Scene.Part> parts = new ArrayList<>(canvas.parts());
        parts.addAll(overlay.parts());
        parts.addAll(over);
        return new Scene(layout.width(), layout.height(), canvas.theme.background(), parts);
    }

    private Canvas canvas(ViewState state, ScreenLayout layout) {
        return new Canvas(Theme.of(state.dark()), layout.scale(), measure);
    }

    Pick pick(ViewState state, ScreenLayout layout, double x, double y) {
        if (text.tokens().isEmpty()) {
            return new Pick.Nothing();
        }
        GridGeometry grid = layout.grid(text.source(), state.grid());
        if (grid.contains(x, y)) {
            return head(grid, text.frame().get(), state, x, y);
        }
        if (text.chosen().isPresent() && layout.map(1, state.map()).contains(x, y)) {
            GridGeometry map = layout.map(text.chosen().get().columns(), state.map());
            return new Pick.MapCell(map.rowAt(y), map.columnAt(x));
        }
        return words.at(canvas(state, layout), layout, state, x, y);
    }

    private Pick head(GridGeometry grid, Frame frame, ViewState state, double x, double y) {
        int head = grid.columnAt(x);
        int layer = grid.rowAt(y);
        if (state.mode() == Mode.METRIC) {
            return new Pick.Head(layer, head, 0, 0);
        }
        int cells = frame.cells();
        double side = grid.pitch() - grid.gap();
        int row = Math.clamp((long) ((y - grid.top(layer)) / side * cells), 0, cells - 1);
        int column = Math.clamp((long) ((x - grid.left(head)) / side * cells), 0, cells - 1);
        OptionalInt token = GridPart.pickedCell(text, state, frame.bin());
        return new Pick.Head(layer, head,
                token.isPresent() && !state.column() ? token.getAsInt() : row,
                token.isPresent() && state.column() ? token.getAsInt() : column);
    }
}
