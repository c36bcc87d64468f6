package headscope.render.layout;

import headscope.figure.ColorBar;
import headscope.figure.Mark;
import headscope.figure.MaxPooling;
import headscope.render.Box;
import headscope.render.Label;
import headscope.render.Stroke;
import java.util.List;
import java.util.OptionalInt;

/** A part of a figure in the terms that every writer draws, at its final place in pixels. */
public sealed interface Shape {
    /** 0xRRGGBB of the disc and of the ring of {@link Dots}. */
    int DISC_INK = 0xF0F0F0;

    int RING_INK = 0x0D0D14;

    /**
     * A map of colours that fills its box; a bar's colours are a map of one column.
     *
     * @param pooling of the map's cells, so that each has at least one pixel
     * @param panel   index of the panel whose values it shows; empty for a bar
     */
    record Colors(Box box, Mark.Heatmap map, MaxPooling pooling, ColorBar bar, OptionalInt panel) implements Shape {}

    /** Filled boxes. */
    record Rules(List<Box> boxes, int rgb) implements Shape {}

    /**
     * Light discs in dark rings.
     *
     * @param x      of the centres
     * @param y      of the centres
     * @param radius outer radius of the rings
     * @param ring   width of the rings
     */
    record Dots(double[] x, double[] y, double radius, double ring) implements Shape {}

    record Strokes(List<Stroke> strokes) implements Shape {}

    record Text(List<Label> labels) implements Shape {}
}
