package headscope.render;

import java.util.List;

/** Draws frames, tick marks and grid lines. Their sides lie on pixel edges, so they need no anti-aliasing. */
final class RulePass implements AutoCloseable {
    private final Program program = new Program("rule");

    /** @param rgb 0xRRGGBB, sRGB */
    DrawCall call(Box canvas, List<Box> rules, int rgb) {
        float[] boxes = new float[4 * rules.size()];
        int i = 0;
        for (Box rule : rules) {
            boxes[i++] = rule.x();
            boxes[i++] = rule.y();
            boxes[i++] = rule.width();
            boxes[i++] = rule.height();
        }
        return new Quads(4, boxes, () -> program.use(canvas).setColor("u_color", rgb));
    }

    @Override
    public void close() {
        program.close();
    }
}
