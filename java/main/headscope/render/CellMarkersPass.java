package headscope.render;

import static org.lwjgl.opengl.GL33C.*;

import headscope.figure.Mark;
import headscope.figure.Panel;

/** Draws {@link Mark.CellMarkers}. */
final class CellMarkersPass implements AutoCloseable {
    /** Of the shorter side of a cell. */
    private static final double RADIUS = 0.15;

    private final Program program = new Program("cell_markers");
    private final Quads quads = new Quads(2);

    /** @param scale pixels per unit of the layout */
    void draw(Box canvas, Box box, Panel panel, Mark.CellMarkers markers, double scale) {
        double width = (double) box.width() / Cells.count(panel.x());
        double height = (double) box.height() / Cells.count(panel.y());
        float[] centers = new float[2 * markers.cells().size()];
        int i = 0;
        for (Mark.Cell cell : markers.cells()) {
            centers[i++] = (float) (box.x() + (cell.column() + 0.5) * width);
            centers[i++] = (float) (box.y() + (cell.row() + 0.5) * height);
        }
        double radius = Math.clamp(RADIUS * Math.min(width, height), 1.5, 4 * scale);
        program.use()
                .set("u_canvas", canvas.width(), canvas.height())
                .set("u_radius", radius)
                .set("u_ring", Math.clamp(0.3 * radius, 0.5, scale));
        quads.draw(centers);
    }

    @Override
    public void close() {
        quads.close();
        program.close();
    }
}
