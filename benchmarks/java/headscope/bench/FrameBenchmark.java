package headscope.bench;

import headscope.figure.Figure;
import headscope.figure.SpectraFigure;
import headscope.render.Drawing;
import headscope.render.Image;
import headscope.render.OffscreenRenderer;
import headscope.result.HeadMap;
import headscope.result.SpectraView;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A figure of two maps of 32 layers x 32 heads at 96 dpi, with new values in both, until its pixels are in memory. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FrameBenchmark {
    private static final int SIDE = 32;
    private static final int DPI = 96;

    private final Random random = new Random(1);
    private final float[] values = new float[SIDE * SIDE];
    private OffscreenRenderer renderer;
    private Drawing drawing;

    @Setup
    public void open() {
        renderer = OffscreenRenderer.open();
        drawing = renderer.drawing(figure(), DPI);
    }

    @TearDown
    public void close() {
        drawing.close();
        renderer.close();
    }

    /** Replaces the values of a drawing. */
    @Benchmark
    public Image replacedValues() {
        for (int panel = 0; panel < 2; panel++) {
            drawing.replaceValues(panel, next());
        }
        return renderer.image(drawing);
    }

    /** Builds and lays out a new figure. */
    @Benchmark
    public Image newFigure() {
        return renderer.image(figure(), DPI);
    }

    private Figure figure() {
        HeadMap attention = new HeadMap("AttnScore", "p-value", SIDE, SIDE, next());
        HeadMap laplacian = new HeadMap("Laplacian Eigenvalues", "p-value", SIDE, SIDE, next());
        return SpectraFigure.of(List.of(attention, laplacian), SpectraView.Shown.P, Optional.empty(), "A caption.");
    }

    /** The first value is 1, so that all frames have the same colour scale. */
    private float[] next() {
        for (int i = 0; i < values.length; i++) {
            values[i] = i == 0 ? 1 : random.nextFloat();
        }
        return values;
    }
}
