package headscope.render;

import headscope.figure.Mark;
import headscope.figure.Panel;

/** Draws {@link Mark.CellMarkers}. */
final class CellMarkersPass implements AutoCloseable {
    /** Relative to the shorter side of a cell. */
    private static final double RADIUS = 0.15;

    private final Program program = new Program("cell_markers");

    /** @param scale pixels per unit of the layout */
    DrawCall call(Box canvas, Box box, Panel panel, Mark.CellMarkers markers, double scale) {
        double width = (double) box.width() / Cells.count(panel.x());
        double height = (double) box.height() / Cells.count(panel.y());
        float[] centers = new float[2 * markers.cells().size()];
        int i = 0;
        for (Mark.Cell cell : markers.cells()) {
            centers[i++] = (float) (box.x() + (cell.column() + 0.5) * width);
            centers[i++] = (float) (box.y() + (cell.row() + 0.5) * height);
        }
        double radius = Math.clamp(RADIUS * Math.min(width, height), 1.5, 4 * scale);
        double ring = Math.clamp(0.3 * radius, 0.5, scale);
        return new Quads(2, centers, () -> program.use(canvas).set("u_radius", radius).set("u_ring", ring));
    }

    @Override
    public void close() {
        program.close();
    }
}
