package headscope.live.window;

import headscope.figure.Colormap;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.live.screen.Menu;
import headscope.live.window.Action.Desk;
import headscope.live.window.Action.Plain;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Everything that keys do, as menus. */
record Menus(List<Entries> menus) {
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
        return new Menus(List.of(run(state, recording), grid(view, source), colors(view), look(view)));
    }

    private static Entries run(State state, boolean recording) {
        return new Entries("Run", List.of(
                Entry.of(state == State.PAUSED ? "Go on" : "Pause", "space", Plain.PAUSE),
                Entry.of("One token", ".", Plain.STEP),
                Entry.of("End this text", "", Plain.END),
                Entry.of("Write another prompt", "E", Desk.EDIT_PROMPT),
                Entry.of("Save a picture for print", "P", Desk.PICTURE),
                Entry.of(recording ? "End the recording" : "Record to a file", "R", Desk.RECORD),
                Entry.of("Quit", "Q", Desk.QUIT)));
    }

    private static Entries grid(ViewState view, FrameSource source) {
        List<Entry> entries = new ArrayList<>();
        entries.add(Entry.checked("attention maps", "M", view.mode() == Mode.MAPS,
                new Action.Show(Mode.MAPS, view.metric())));
        source.metrics().forEach(metric -> entries.add(Entry.checked(
                metric.key().replace('_', ' '), "", view.mode() == Mode.METRIC && view.metric().equals(metric.key()),
                new Action.Show(Mode.METRIC, metric.key()))));
        return new Entries("Metric", entries);
    }

    private static Entries colors(ViewState view) {
        Stream<Entry> maps = Colormap.all().stream().map(colormap -> Entry.checked(
                colormap.name(), colormap.equals(view.colormap()) ? "C" : "", colormap.equals(view.colormap()),
                new Action.Colors(colormap)));
        return new Entries("Colours", Stream.concat(
                maps, Stream.of(Entry.checked("logarithmic", "L", view.log(), Plain.LOG))).toList());
    }

    private static Entries look(ViewState view) {
        return new Entries("View", List.of(
                Entry.checked("First token's column", "S", view.firstToken(), Plain.FIRST_TOKEN),
                Entry.checked("What the picked token gets", "T", view.column(), Plain.TOKEN_SIDE),
                Entry.checked("Dark", "D", view.dark(), Plain.DARK),
                Entry.of("Show everything", "Home", Plain.WHOLE),
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
