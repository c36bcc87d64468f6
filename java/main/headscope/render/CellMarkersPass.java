package headscope.render;

import headscope.render.layout.Shape;

/** Draws {@link Shape.Dots}. */
final class CellMarkersPass implements AutoCloseable {
    private final Program program = new Program("cell_markers");

    DrawCall call(Box canvas, Shape.Dots dots) {
        float[] centers = new float[2 * dots.x().length];
        for (int i = 0; i < dots.x().length; i++) {
            centers[2 * i] = (float) dots.x()[i];
            centers[2 * i + 1] = (float) dots.y()[i];
        }
        return new Quads(2, centers,
                () -> program.use(canvas).set("u_radius", dots.radius()).set("u_ring", dots.ring()));
    }

    @Override
    public void close() {
        program.close();
    }
}
