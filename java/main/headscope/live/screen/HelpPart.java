package headscope.live.screen;

import headscope.render.Box;

/** The list of keys, over everything else. */
final class HelpPart {
    private static final double LINE = 24;
    private static final double KEYS = 140;

    private HelpPart() {}

    static void draw(Canvas canvas, ScreenLayout layout) {
        canvas.fill(new Box(0, 0, layout.width(), layout.height()), 0x000000, 0.5);
        double widest = KeyHelp.ALL.stream().mapToDouble(key -> canvas.width(key.action(), Canvas.SIZE)).max().orElse(0);
        int width = (int) Math.ceil(widest) + canvas.px(KEYS + 48);
        int pitch = Math.max(1, Math.min(canvas.px(LINE), (layout.height() - canvas.px(62)) / KeyHelp.ALL.size()));
        int height = pitch * KeyHelp.ALL.size() + canvas.px(62);
        Box panel = new Box((layout.width() - width) / 2, Math.max(0, (layout.height() - height) / 2), width, height);
        canvas.fill(panel, canvas.theme.rule());
        int line = canvas.line(1);
        canvas.fill(new Box(panel.x() + line, panel.y() + line, width - 2 * line, height - 2 * line), canvas.theme.panel());
        canvas.text("Keys and mouse", Canvas.TITLE_SIZE, canvas.theme.ink(), panel.x() + canvas.px(24),
                panel.y() + canvas.px(34));
        double middle = panel.y() + canvas.px(62);
        for (KeyHelp key : KeyHelp.ALL) {
            double baseline = canvas.baseline(middle, Canvas.SIZE);
            canvas.text(key.hands(), Canvas.SIZE, canvas.theme.accent(), panel.x() + canvas.px(24), baseline);
            canvas.text(key.action(), Canvas.SIZE, canvas.theme.ink(), panel.x() + canvas.px(24 + KEYS), baseline);
            middle += pitch;
        }
    }
}
