package headscope.render;

import java.util.List;

/** Draws frames and tick marks; their sides lie on pixel edges, so there is nothing to smooth. */
final class RulePass implements AutoCloseable {
    private final Program program = new Program("rule");
    private final Quads quads = new Quads(4);

    /** @param rgb 0xRRGGBB */
    void draw(Box canvas, List<Box> rules, int rgb) {
        float[] boxes = new float[4 * rules.size()];
        int i = 0;
        for (Box rule : rules) {
            boxes[i++] = rule.x();
            boxes[i++] = rule.y();
            boxes[i++] = rule.width();
            boxes[i++] = rule.height();
        }
        program.use().set("u_canvas", canvas.width(), canvas.height()).setColor("u_color", rgb);
        quads.draw(boxes);
    }

    @Override
    public void close() {
        quads.close();
        program.close();
    }
}
