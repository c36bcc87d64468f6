package headscope.live.screen;

import headscope.live.Camera;
import headscope.render.Box;
import headscope.result.frame.FrameSource;

/**
 * The boxes of the screen, in pixels. Depends on sizes alone, so that picking needs neither fonts nor OpenGL.
 *
 * @param scale    pixels per unit; 1 on a usual screen, 2 on one of high density
 * @param grid     layers x heads
 * @param gridBar  colour bar of the grid, if it shows a metric
 * @param map      of the chosen head, square
 * @param mapBar   colour bar of the map
 */
public record ScreenLayout(
        int width, int height, double scale, Box header, Box status, Box gridPanel, Box grid, Box gridBar, Box mapPanel,
        Box map, Box mapBar, Box spectrum, Box curve, Box text) {
    private static final double MARGIN = 8;
    private static final double HEADER = 38;
    private static final double STATUS = 30;
    private static final double TITLE = 36;
    private static final double BAR = 12;
    private static final double MIN_BAR = 120;

    /** Below this pitch, in units, thumbnails touch. */
    private static final double SMALL_PITCH = 4;

    /** Largest size of a cell of a map when zoomed, in units. */
    private static final double LARGE_CELL = 48;

    public static ScreenLayout of(int width, int height, double scale, FrameSource source) {
        if (width < 1 || height < 1 || !(scale > 0)) {
            throw new IllegalArgumentException("a screen of %d x %d pixels at scale %s".formatted(width, height, scale));
        }
        int margin = px(MARGIN, scale);
        Box header = new Box(0, 0, width, px(HEADER, scale));
        Box status = box(0, height - px(STATUS, scale), width, px(STATUS, scale));
        int top = header.bottom();
        int content = Math.max(4 * margin, status.y() - top - margin);
        int low = Math.clamp(Math.round(0.24 * content), Math.min(content / 3, px(120, scale)), px(260, scale));
        int high = content - low - margin;
        int left = (width - 3 * margin) / 2;
        Box gridPanel = box(margin, top, left, high);
        Box mapPanel = box(2 * margin + left, top, width - 3 * margin - left, high);
        int lowTop = top + high + margin;
        int half = (left - margin) / 2;

        Box gridArea = inside(gridPanel, scale, 58, TITLE, 76, 46);
        double pitch = Math.min((double) gridArea.width() / source.heads(), (double) gridArea.height() / source.layers());
        pitch = pitch >= 2 ? Math.floor(pitch) : pitch;
        int gridWidth = Math.max(1, (int) Math.round(pitch * source.heads()));
        int gridHeight = Math.max(1, (int) Math.round(pitch * source.layers()));
        Box grid = new Box(gridArea.x() + (gridArea.width() - gridWidth) / 2, gridArea.y(), gridWidth, gridHeight);

        Box mapArea = inside(mapPanel, scale, 84, TITLE, 84, 68);
        int side = Math.max(1, Math.min(mapArea.width(), mapArea.height()));
        Box map = new Box(mapArea.x() + (mapArea.width() - side) / 2, mapArea.y(), side, side);
        return new ScreenLayout(width, height, scale, header, status, gridPanel, grid, bar(grid, gridPanel, scale), mapPanel, map,
                bar(map, mapPanel, scale),
                box(margin, lowTop, half, low),
                box(2 * margin + half, lowTop, left - half - margin, low),
                box(2 * margin + left, lowTop, mapPanel.width(), low));
    }

    /** Beside a grid, at least as high as its numbers need if the panel has room. */
    private static Box bar(Box beside, Box panel, double scale) {
        int top = panel.y() + px(TITLE, scale);
        int height = Math.clamp(px(MIN_BAR, scale), 1, Math.max(1, panel.bottom() - px(MARGIN, scale) - top));
        height = Math.max(height, (int) (0.8 * beside.height()));
        return box(beside.right() + px(18, scale), Math.max(top, beside.y() + (beside.height() - height) / 2),
                px(BAR, scale), height);
    }

    private static Box inside(Box panel, double scale, double left, double top, double right, double bottom) {
        return box(panel.x() + px(left, scale), panel.y() + px(top, scale),
                panel.width() - px(left, scale) - px(right, scale), panel.height() - px(top, scale) - px(bottom, scale));
    }

    private static Box box(int x, int y, int width, int height) {
        return new Box(x, y, Math.max(1, width), Math.max(1, height));
    }

    private static int px(double units, double scale) {
        return Math.max(1, (int) Math.round(units * scale));
    }

    /** The grid of layers x heads under a camera. */
    public GridGeometry grid(FrameSource source, Camera camera) {
        double pitch = (double) grid.width() / source.heads();
        double gap = pitch < SMALL_PITCH * scale ? 0 : px(Math.min(2, pitch / scale / 10), scale);
        return new GridGeometry(grid, source.heads(), source.layers(), gap, camera);
    }

    /** The map of the chosen head under a camera. */
    public GridGeometry map(int cells, Camera camera) {
        return new GridGeometry(map, cells, cells, 0, camera);
    }

    /** The zoom of the grid that shows single cells of {@code cells} per side of a head. */
    public double maxGridZoom(FrameSource source, int cells) {
        return Math.max(1, LARGE_CELL * scale * cells * source.heads() / grid.width());
    }

    /** The zoom of the map that shows single cells. */
    public double maxMapZoom(int cells) {
        return Math.max(1, LARGE_CELL * scale * cells / map.width());
    }
}
