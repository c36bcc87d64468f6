package headscope.live.screen;

import headscope.live.screen.ScreenStatus.Mouse;
import headscope.render.Box;
import headscope.render.TextMeasure;
import headscope.render.screen.Scene;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Titles of menus at the right end of the header, and the list of the one that is open. */
public final class MenuBar {
    private static final double PAD = 11;
    private static final double LINE = 25;
    private static final double CHECK = 22;
    private static final double KEYS = 24;

    private final List<Menu> menus;
    private final OptionalInt open;
    private final Canvas canvas;
    private final List<Box> titles = new ArrayList<>();
    private final Box list;

    /** What lies under a pixel of the menus. */
    public sealed interface Place {
        record Title(int menu) implements Place {}

        record Item(int menu, int item) implements Place {}

        record Elsewhere() implements Place {}
    }

    /** @param open the menu whose list is shown */
    public MenuBar(List<Menu> menus, OptionalInt open, ScreenLayout layout, boolean dark, TextMeasure measure) {
        this.menus = List.copyOf(menus);
        this.open = open;
        this.canvas = new Canvas(Theme.of(dark), layout.scale(), measure);
        Box header = layout.header();
        int x = header.right() - canvas.px(6);
        for (Menu menu : menus.reversed()) {
            int width = (int) Math.ceil(canvas.width(menu.title(), Canvas.SIZE)) + 2 * canvas.px(PAD);
            x -= width;
            titles.addFirst(new Box(x, header.y(), width, header.height()));
        }
        this.list = open.isPresent() ? list(menus.get(open.getAsInt()), titles.get(open.getAsInt()), header)
                : new Box(0, 0, 0, 0);
    }

    private Box list(Menu menu, Box title, Box header) {
        double widest = menu.items().stream()
                .mapToDouble(item -> canvas.width(item.label(), Canvas.SIZE) + canvas.width(item.key(), Canvas.SIZE))
                .max().orElse(0);
        int width = (int) Math.ceil(widest) + canvas.px(CHECK + KEYS + 2 * PAD);
        int x = Math.max(0, Math.min(title.x(), header.right() - canvas.px(6) - width));
        return new Box(x, title.bottom(), width, menu.items().size() * canvas.px(LINE) + 2 * canvas.px(6));
    }

    /** Width of the titles, in pixels. */
    public int width() {
        return titles.isEmpty() ? 0 : titles.getLast().right() - titles.getFirst().x();
    }

    public Place at(double x, double y) {
        for (int i = 0; i < titles.size(); i++) {
            if (titles.get(i).contains(x, y)) {
                return new Place.Title(i);
            }
        }
        if (open.isPresent() && list.contains(x, y)) {
            int items = menus.get(open.getAsInt()).items().size();
            long item = (long) Math.floor((y - list.y() - canvas.px(6)) / canvas.px(LINE));
            return new Place.Item(open.getAsInt(), Math.clamp(item, 0, items - 1));
        }
        return new Place.Elsewhere();
    }

    /** @param mouse marks what it points to */
    public List<Scene.Part> parts(Optional<Mouse> mouse) {
        Place pointed = mouse.map(at -> at(at.x(), at.y())).orElse(new Place.Elsewhere());
        for (int i = 0; i < titles.size(); i++) {
            Box box = titles.get(i);
            boolean lit = open.equals(OptionalInt.of(i)) || pointed.equals(new Place.Title(i));
            if (lit) {
                canvas.fill(box, canvas.theme.rule());
            }
            canvas.text(menus.get(i).title(), Canvas.SIZE, lit ? canvas.theme.ink() : canvas.theme.pale(),
                    box.x() + canvas.px(PAD), canvas.baseline(box.y() + box.height() / 2.0, Canvas.SIZE));
        }
        open.ifPresent(menu -> {
            int line = canvas.line(1);
            canvas.fill(list, canvas.theme.rule());
            canvas.fill(new Box(list.x() + line, list.y() + line, list.width() - 2 * line, list.height() - 2 * line),
                    canvas.theme.panel());
            IntStream.range(0, menus.get(menu).items().size()).forEach(item ->
                    item(menus.get(menu).items().get(item), item, pointed.equals(new Place.Item(menu, item))));
        });
        return canvas.parts();
    }

    private void item(Menu.Item item, int index, boolean pointed) {
        int line = canvas.line(1);
        int top = list.y() + canvas.px(6) + index * canvas.px(LINE);
        if (pointed) {
            canvas.fill(new Box(list.x() + line, top, list.width() - 2 * line, canvas.px(LINE)), canvas.theme.rule());
        }
        double baseline = canvas.baseline(top + canvas.px(LINE) / 2.0, Canvas.SIZE);
        double left = list.x() + canvas.px(PAD);
        if (item.checked()) {
            canvas.text("\u2713", Canvas.SIZE, canvas.theme.accent(), left, baseline);
        }
        canvas.text(item.label(), Canvas.SIZE, canvas.theme.ink(), left + canvas.px(CHECK), baseline);
        canvas.right(item.key(), Canvas.SIZE, canvas.theme.pale(), list.right() - canvas.px(PAD), baseline);
    }
}
