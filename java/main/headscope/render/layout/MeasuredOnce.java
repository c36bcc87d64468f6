package headscope.render.layout;

import headscope.render.TextMeasure;
import java.util.HashMap;
import java.util.Map;

/** Cached text metrics: the search for a figure's size measures the same lines many times. */
final class MeasuredOnce implements TextMeasure {
    private record Line(String text, float size) {}

    private final TextMeasure measure;
    private final Map<Line, Double> widths = new HashMap<>();
    private final Map<Float, double[]> heights = new HashMap<>();

    MeasuredOnce(TextMeasure measure) {
        this.measure = measure;
    }

    @Override
    public double width(String text, float size) {
        return widths.computeIfAbsent(new Line(text, size), line -> measure.width(line.text, line.size));
    }

    @Override
    public double ascent(float size) {
        return heights(size)[0];
    }

    @Override
    public double descent(float size) {
        return heights(size)[1];
    }

    @Override
    public double capHeight(float size) {
        return heights(size)[2];
    }

    private double[] heights(float size) {
        return heights.computeIfAbsent(
                size, _ -> new double[] {measure.ascent(size), measure.descent(size), measure.capHeight(size)});
    }
}
