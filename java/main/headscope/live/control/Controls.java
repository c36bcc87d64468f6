package headscope.live.control;

import headscope.figure.Colormap;
import headscope.live.Camera;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.live.screen.GridGeometry;
import headscope.live.screen.Pick;
import headscope.live.screen.ScreenLayout;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Command;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Consumer;

/** Carries out what the user does: changes the view, or sends a command to the model. Needs neither window nor OpenGL. */
final class Controls {
    private static final double ZOOM_PER_STEP = 1.25;
    private static final int TOKENS_PER_MOVE = 10;
    private static final int LINES_PER_STEP = 3;

    private final FrameSource source;
    private final Consumer<Command> commands;
    private ViewState view;
    private boolean asked;
    private int mapTokens;
    private double wheel; // lines of text that are less than one

    Controls(FrameSource source, ViewState view, Consumer<Command> commands) {
        this.source = source;
        this.view = view;
        this.commands = commands;
    }

    ViewState view() {
        return view;
    }

    /** @param state of the newest frame */
    void act(Action.Plain action, State state) {
        switch (action) {
            case PAUSE -> commands.accept(state == State.PAUSED ? new Command.Resume() : new Command.Pause());
            case STEP -> commands.accept(new Command.Step());
            case BACK -> commands.accept(new Command.Move(-TOKENS_PER_MOVE));
            case AHEAD -> commands.accept(new Command.Move(TOKENS_PER_MOVE));
            case SLOWER -> commands.accept(new Command.Speed(0.5));
            case FASTER -> commands.accept(new Command.Speed(2));
            case END -> commands.accept(new Command.End());
            case NEXT_VIEW -> show(1);
            case PREVIOUS_VIEW -> show(-1);
            case NEXT_COLORS -> color(1);
            case PREVIOUS_COLORS -> color(-1);
            case LOG -> view = view.withLog(!view.log());
            case FIRST_TOKEN -> view = view.withFirstToken(!view.firstToken());
            case TOKEN_SIDE -> view = view.withToken(view.token(), !view.column());
            case DARK -> view = view.withDark(!view.dark());
            case WHOLE -> view = view.withGrid(Camera.WHOLE).withMap(Camera.WHOLE);
            case HELP -> view = view.withHelp(!view.help());
            case LEAVE -> view = view.help() ? view.withHelp(false) : view.withToken(OptionalInt.empty(), false);
        }
    }

    void closeHelp() {
        view = view.withHelp(false);
    }

    void show(Action.Show grid) {
        view = view.withGridOf(grid.mode(), grid.metric());
    }

    void color(Colormap colormap) {
        view = view.withColormap(colormap);
    }

    void walk(Action.Walk by) {
        pick(Math.clamp(view.layer() + by.layers(), 0, source.layers() - 1),
                Math.clamp(view.head() + by.heads(), 0, source.heads() - 1));
        double width = 1.0 / source.heads();
        double height = 1.0 / source.layers();
        view = view.withGrid(view.grid().showing(view.head() * width, view.layer() * height, width, height));
    }

    /** @param top as in {@link ViewState#textTop} */
    void showText(OptionalInt top) {
        view = view.withTextTop(top);
    }

    /** Lines of the text that a turn of the wheel moves; what is less than one line is kept for the next turn. */
    int lines(double steps) {
        wheel -= LINES_PER_STEP * steps;
        int whole = (int) wheel;
        wheel -= whole;
        return whole;
    }

    /** Another text begins. */
    void begin() {
        view = view.withTextTop(OptionalInt.empty()).withToken(OptionalInt.empty(), false).withMap(Camera.WHOLE);
        mapTokens = 0;
    }

    /** The maps come first, then each metric. */
    private void show(int by) {
        List<String> keys = source.metrics().stream().map(MeasuredMetric::key).toList();
        int now = view.mode() == Mode.MAPS ? 0 : 1 + keys.indexOf(view.metric());
        int next = Math.floorMod(now + by, keys.size() + 1);
        view = next == 0 ? view.withGridOf(Mode.MAPS, view.metric()) : view.withGridOf(Mode.METRIC, keys.get(next - 1));
    }

    private void color(int by) {
        List<Colormap> all = Colormap.all();
        view = view.withColormap(all.get(Math.floorMod(all.indexOf(view.colormap()) + by, all.size())));
    }

    /** Shows the head that the stream shows closely, and the same tokens of it as before. */
    void follow(ChosenHead chosen) {
        follow(chosen.layer(), chosen.head());
        int tokens = chosen.columns() * chosen.bin();
        if (mapTokens > 0 && tokens != mapTokens) {
            view = view.withMap(view.map().grown((double) mapTokens / tokens));
        }
        mapTokens = tokens;
    }

    /** Shows the head that the stream shows closely, unless the answer to a choice of this user is still to come. */
    void follow(int layer, int head) {
        if (layer == view.layer() && head == view.head()) {
            asked = false;
        } else if (!asked) {
            view = view.withHead(layer, head).withMap(Camera.WHOLE);
        }
    }

    private void pick(int layer, int head) {
        if (layer != view.layer() || head != view.head()) {
            view = view.withHead(layer, head).withMap(Camera.WHOLE);
            asked = true;
            commands.accept(new Command.Pick(layer, head));
        }
    }

    /** Chooses a head; picks a token to show what it pays, then what it gets, then none. */
    void click(Pick on) {
        switch (on) {
            case Pick.Head(int layer, int head, _, _) -> pick(layer, head);
            case Pick.Token(int position) -> {
                boolean again = view.token().equals(OptionalInt.of(position));
                view = view.withToken(
                        again && view.column() ? OptionalInt.empty() : OptionalInt.of(position), again && !view.column());
            }
            case Pick.MapCell _, Pick.TextBar _, Pick.Nothing _ -> { }
        }
    }

    /** @param cells and columns as in {@link #zoom(double, double, double, ScreenLayout, int, int)} */
    void zoom(Action.Zoom by, ScreenLayout layout, int cells, int columns) {
        GridGeometry grid = layout.grid(source, view.grid());
        GridGeometry map = layout.map(columns, view.map());
        double x = by.map() ? map.box().x() + map.box().width() / 2.0
                : Math.clamp(grid.left(view.head() + 0.5), grid.box().x(), grid.box().right() - 1);
        double y = by.map() ? map.box().y() + map.box().height() / 2.0
                : Math.clamp(grid.top(view.layer() + 0.5), grid.box().y(), grid.box().bottom() - 1);
        zoom(by.steps(), x, y, layout, cells, columns);
    }

    /**
     * Zooms the grid or the map about a pixel.
     *
     * @param steps of the wheel, positive to enlarge
     * @param cells of the text on each side of a head's map in the grid
     * @param columns of the chosen head's map
     */
    void zoom(double steps, double x, double y, ScreenLayout layout, int cells, int columns) {
        double factor = Math.pow(ZOOM_PER_STEP, steps);
        GridGeometry grid = layout.grid(source, view.grid());
        GridGeometry map = layout.map(columns, view.map());
        if (grid.contains(x, y)) {
            view = view.withGrid(zoomed(grid, factor, x, y, layout.maxGridZoom(source, cells)));
        } else if (map.contains(x, y)) {
            view = view.withMap(zoomed(map, factor, x, y, layout.maxMapZoom(columns)));
        }
    }

    private static Camera zoomed(GridGeometry area, double factor, double x, double y, double max) {
        return area.camera().zoomed(factor, (x - area.box().x()) / area.box().width(),
                (y - area.box().y()) / area.box().height(), max);
    }

    /**
     * Moves the contents of the grid or of the map.
     *
     * @param fromX where the button went down
     * @param fromY where the button went down
     */
    void drag(double fromX, double fromY, double byX, double byY, ScreenLayout layout) {
        GridGeometry grid = layout.grid(source, view.grid());
        GridGeometry map = layout.map(1, view.map());
        if (grid.contains(fromX, fromY)) {
            view = view.withGrid(view.grid().dragged(byX / grid.box().width(), byY / grid.box().height()));
        } else if (map.contains(fromX, fromY)) {
            view = view.withMap(view.map().dragged(byX / map.box().width(), byY / map.box().height()));
        }
    }

    /** Shows all of the grid or of the map again. */
    void doubleClick(double x, double y, ScreenLayout layout) {
        if (layout.grid(source, view.grid()).contains(x, y)) {
            view = view.withGrid(Camera.WHOLE);
        } else if (layout.map(1, view.map()).contains(x, y)) {
            view = view.withMap(Camera.WHOLE);
        }
    }
}
