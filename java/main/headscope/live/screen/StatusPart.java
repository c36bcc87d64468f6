package headscope.live.screen;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.render.Box;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.FrameSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/** The line above: the model, and room for menus. The line below: what the model and the viewer do. */
final class StatusPart {
    private static final double GAP = 22; // between items, in units
    private static final double MIN_GAP = 12;
    private static final int MIN_SHORTENED = 12; // characters of an item of which only the beginning fits
    private static final double MENUS = 410; // room for them at the right end of the line above

    private StatusPart() {}

    static void draw(Canvas canvas, ScreenLayout layout, LiveText text, ViewState state, ScreenStatus status) {
        header(canvas, layout.header(), text.source());
        status(canvas, layout, text, state, status);
    }

    private static void header(Canvas canvas, Box box, FrameSource source) {
        Theme theme = canvas.theme;
        double baseline = canvas.baseline(box.y() + box.height() / 2.0, Canvas.SIZE);
        double x = canvas.text("Headscope live", Canvas.TITLE_SIZE, theme.ink(), box.x() + canvas.px(16), baseline);
        double end = box.right() - canvas.px(MENUS);
        String model = "%s  \u00b7  %s x %s".formatted(source.model(),
                Wording.count(source.layers(), "layer"), Wording.count(source.heads(), "head"));
        x += canvas.px(GAP);
        canvas.text(canvas.shortened(model, Canvas.SMALL_SIZE, end - x), Canvas.SMALL_SIZE, theme.pale(), x, baseline);
    }

    private static void status(
            Canvas canvas, ScreenLayout layout, LiveText text, ViewState state, ScreenStatus status) {
        Box box = layout.status();
        Theme theme = canvas.theme;
        canvas.fill(box, theme.bar());
        status.source().played().ifPresent(played -> position(canvas, box, played));
        double baseline = canvas.baseline(box.y() + box.height() / 2.0, Canvas.SIZE);
        double x = box.x() + canvas.px(16);
        double end = box.right() - canvas.px(16);
        if (text.frame().isEmpty()) {
            canvas.text("waiting for the first token", Canvas.SIZE, theme.pale(), x, baseline);
            return;
        }
        Frame frame = text.frame().get();
        int color = switch (frame.state()) {
            case FAILED -> theme.bad();
            case PAUSED -> theme.accent();
            case READING, RUNNING -> theme.good();
            case ENDED -> theme.ink();
        };
        x = canvas.text(Wording.state(frame.state()), Canvas.SIZE, color, x, baseline) + canvas.px(GAP);
        if (!frame.message().isEmpty()) {
            int rgb = frame.state() == State.FAILED ? theme.bad() : theme.ink();
            x = canvas.text(canvas.shortened(frame.message(), Canvas.SIZE, end - x), Canvas.SIZE, rgb, x, baseline)
                    + canvas.px(GAP);
        }
        items(canvas, x, end, baseline, items(text, frame, status, pixels(layout, text, state, frame)));
    }

    /** How far a recording has been played, along the upper edge of the line. */
    private static void position(Canvas canvas, Box box, double played) {
        int height = canvas.px(3);
        int at = (int) Math.round(played * box.width());
        canvas.cover(new Box(box.x(), box.y(), box.width(), height), canvas.theme.rule());
        canvas.cover(new Box(box.x(), box.y(), at, height), canvas.theme.accent());
    }

    /** Closer together where room is short; those that still do not fit are left out. */
    private static void items(Canvas canvas, double from, double end, double baseline, List<String> items) {
        double widths = items.stream().mapToDouble(item -> canvas.width(item, Canvas.SIZE)).sum();
        double gap = Math.clamp((end - from - widths) / Math.max(1, items.size() - 1), canvas.px(MIN_GAP), canvas.px(GAP));
        double x = from;
        for (String item : items) {
            String shown = canvas.shortened(item, Canvas.SIZE, end - x);
            if (shown.length() < Math.min(item.length(), MIN_SHORTENED)) {
                return;
            }
            x = canvas.text(shown, Canvas.SIZE, canvas.theme.ink(), x, baseline) + gap;
        }
    }

    /** How many cells of the grid share a pixel; empty if none do. */
    private static String pixels(ScreenLayout layout, LiveText text, ViewState state, Frame frame) {
        GridGeometry grid = layout.grid(text.source(), state.grid());
        int cells = (int) Math.ceil(frame.cells() / (grid.pitch() - grid.gap()));
        return cells <= 1 || state.mode() == Mode.METRIC ? "" : "up to %d x %d cells a pixel".formatted(cells, cells);
    }

    /** The most important first, because those that do not fit are left out. */
    private static List<String> items(LiveText text, Frame frame, ScreenStatus status, String pixels) {
        FrameSource source = text.source();
        OptionalInt limit = text.promptTokens() == 0 ? OptionalInt.empty() : source.limit(text.promptTokens());
        List<String> items = new ArrayList<>();
        items.add(status.notice());
        items.add("token %s%s".formatted(Wording.count(frame.end()), limit.isEmpty() ? ""
                : " of at most " + Wording.count(limit.getAsInt())));
        if (frame.state() == State.READING) {
            items.add("layer %d of %d".formatted(frame.layersRead(), source.layers()));
        }
        if (!Double.isNaN(frame.tokensPerSecond())) {
            items.add("%s tokens/s".formatted(Wording.count(Math.round(frame.tokensPerSecond()))));
        }
        if (!Double.isNaN(status.frameMillis())) {
            items.add(String.format(Locale.ROOT, "frame %.1f ms", status.frameMillis()));
        }
        items.add("%s frames dropped".formatted(Wording.count(frame.dropped())));
        items.add(ifAny(status.source().skipped(), "%s pass skipped", "%s passes skipped"));
        items.add(ifAny(status.source().lost(), "%s message lost", "%s messages lost"));
        items.add("cells: %s".formatted(Wording.cell(source.pooling(), frame.bin())));
        items.add("memory %s".formatted(Wording.bytes(frame.memoryBytes())));
        items.add(source.device());
        items.add(pixels);
        return items.stream().filter(item -> !item.isEmpty()).toList();
    }

    /** Empty for 0. */
    private static String ifAny(long count, String one, String several) {
        return count == 0 ? "" : (count == 1 ? one : several).formatted(Wording.count(count));
    }
}
