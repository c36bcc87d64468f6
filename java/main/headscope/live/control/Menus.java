package headscope.live.control;

import headscope.figure.Colormap;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.live.control.Action.Desk;
import headscope.live.control.Action.Plain;
import headscope.live.control.Action.Scroll;
import headscope.live.control.Action.Walk;
import headscope.live.screen.Menu;
import headscope.live.screen.TextMove;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Menus with every action that has a key. */
record Menus(List<Entries> menus) {
    private static final int ZOOM_STEPS = 3;

    /** One menu. */
    private record Entries(String title, List<Entry> entries) {}

    private record Entry(Menu.Item item, Action action) {
        static Entry of(String label, String key, Action action) {
            return new Entry(new Menu.Item(label, key, false), action);
        }

        static Entry checked(String label, String key, boolean checked, Action action) {
            return new Entry(new Menu.Item(label, key, checked), action);
        }
    }

    /**
     * @param state     of the newest frame
     * @param recording whether frames are recorded
     */
    static Menus of(ViewState view, FrameSource source, State state, boolean recording) {
        Stream<Entries> first = source.recorded() ? Stream.of(runRecorded(state), play()) : Stream.of(run(state, recording));
        return new Menus(Stream.concat(
                first, Stream.of(grid(view, source), colors(view), move(), look(view))).toList());
    }

    private static Entries run(State state, boolean recording) {
        return new Entries("Run", List.of(
                Entry.of(state == State.PAUSED ? "Resume" : "Pause", "space", Plain.PAUSE),
                Entry.of("One token", ".", Plain.STEP),
                Entry.of("End this text", "", Plain.END),
                Entry.of("Write another prompt", "E", Desk.EDIT_PROMPT),
                Entry.of("Save a picture for print", "P", Desk.PICTURE),
                Entry.of(recording ? "End the recording" : "Record to a file", "R", Desk.RECORD),
                Entry.of("Quit", "Q", Desk.QUIT)));
    }

    private static Entries runRecorded(State state) {
        return new Entries("Run", List.of(
                Entry.of(state == State.PAUSED ? "Resume" : "Pause", "space", Plain.PAUSE),
                Entry.of("One token", ".", Plain.STEP),
                Entry.of("Save a picture for print", "P", Desk.PICTURE),
                Entry.of("Quit", "Q", Desk.QUIT)));
    }

    private static Entries play() {
        return new Entries("Recording", List.of(
                Entry.of("10 tokens back", "[", Plain.BACK),
                Entry.of("10 tokens forward", "]", Plain.AHEAD),
                Entry.of("Half as fast", "-", Plain.SLOWER),
                Entry.of("Twice as fast", "+", Plain.FASTER)));
    }

    /** The entry that the key chooses next shows the key. */
    private static Entries grid(ViewState view, FrameSource source) {
        List<String> keys = source.metrics().stream().map(MeasuredMetric::key).toList();
        int now = view.mode() == Mode.MAPS ? 0 : 1 + keys.indexOf(view.metric());
        int next = (now + 1) % (keys.size() + 1);
        List<Entry> entries = new ArrayList<>();
        entries.add(Entry.checked("attention maps", next == 0 ? "M" : "", now == 0,
                new Action.Show(Mode.MAPS, view.metric())));
        for (int i = 1; i <= keys.size(); i++) {
            String key = keys.get(i - 1);
            entries.add(Entry.checked(key.replace('_', ' '), next == i ? "M" : "", now == i,
                    new Action.Show(Mode.METRIC, key)));
        }
        return new Entries("Metric", entries);
    }

    private static Entries colors(ViewState view) {
        List<Colormap> all = Colormap.all();
        Colormap next = all.get((all.indexOf(view.colormap()) + 1) % all.size());
        Stream<Entry> maps = all.stream().map(colormap -> Entry.checked(
                colormap.name(), colormap.equals(next) ? "C" : "", colormap.equals(view.colormap()),
                new Action.Colors(colormap)));
        return new Entries("Colours", Stream.concat(
                maps, Stream.of(Entry.checked("logarithmic", "L", view.log(), Plain.LOG))).toList());
    }

    private static Entries move() {
        return new Entries("Move", List.of(
                Entry.of("Previous head", "left", new Walk(0, -1)),
                Entry.of("Next head", "right", new Walk(0, 1)),
                Entry.of("Previous layer", "up", new Walk(-1, 0)),
                Entry.of("Next layer", "down", new Walk(1, 0)),
                Entry.of("Text: page back", "PageUp", new Scroll(TextMove.PAGE_UP)),
                Entry.of("Text: page forward", "PageDown", new Scroll(TextMove.PAGE_DOWN)),
                Entry.of("Text: beginning", "Home", new Scroll(TextMove.START)),
                Entry.of("Text: newest token", "End", new Scroll(TextMove.END))));
    }

    private static Entries look(ViewState view) {
        return new Entries("View", List.of(
                Entry.checked("First token's column", "S", view.firstToken(), Plain.FIRST_TOKEN),
                Entry.checked("Attention to the picked token", "T", view.column(), Plain.TOKEN_SIDE),
                Entry.of("Unpick the token", "Esc", Plain.LEAVE),
                Entry.checked("Dark", "D", view.dark(), Plain.DARK),
                Entry.of("Zoom in: all heads", "", new Action.Zoom(false, ZOOM_STEPS)),
                Entry.of("Zoom out: all heads", "", new Action.Zoom(false, -ZOOM_STEPS)),
                Entry.of("Zoom in: chosen head", "", new Action.Zoom(true, ZOOM_STEPS)),
                Entry.of("Zoom out: chosen head", "", new Action.Zoom(true, -ZOOM_STEPS)),
                Entry.of("Show everything", "0", Plain.WHOLE),
                Entry.of("Keys and mouse", "H", Plain.HELP)));
    }

    List<Menu> shown() {
        return menus.stream()
                .map(menu -> new Menu(menu.title(), menu.entries().stream().map(Entry::item).toList()))
                .toList();
    }

    Action action(int menu, int item) {
        return menus.get(menu).entries().get(item).action();
    }
}
