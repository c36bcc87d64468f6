package headscope.figure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.render.SampleFigures;
import headscope.result.HeadMap;
import headscope.result.SpectraView;
import headscope.result.TokenGroup;
import headscope.result.TokenMap;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class FigureTest {
    private static final Range UNIT = new Range(0, 1);
    private static final TokenMap TOKENS = new TokenMap("", "saliency", List.of("a", "b"),
            List.of(new TokenGroup("<ENV>", 0, 1)), new float[] {0.25f, 0, 0.125f, 0.25f});

    @Test
    void invalidArgumentsAreRejected() {
        rejected(() -> new Range(1, 1));
        rejected(() -> new Range(0, Double.NaN));
        rejected(() -> new Range(0, Double.POSITIVE_INFINITY));
        rejected(() -> new Axis.Numbered("Head Index", 0, 0));
        rejected(() -> new Colormap("one", new int[1]));
        rejected(() -> new Mark.Heatmap(2, 3, new float[5]));
        rejected(() -> new Mark.Heatmap(0, 3, new float[0]));
        rejected(() -> new Mark.Heatmap(1, 1, new float[] {Float.POSITIVE_INFINITY}));
        rejected(() -> panel(new Mark.Heatmap(3, 2, new float[6])));
        rejected(() -> panel(new Mark.CellMarkers(List.of(new Mark.Cell(2, 0)))));
        rejected(() -> panel(new Mark.CellMarkers(List.of(new Mark.Cell(0, -1)))));
        rejected(() -> new Figure(List.of(), 1, ""));
        rejected(() -> new Figure(List.of(panel(heatmap(1))), 0, ""));
        rejected(() -> panel(heatmap(1.5f)));
        rejected(() -> panel(heatmap(-0.1f)));
        rejected(() -> new Axis.Logarithmic("rate", new Range(0, 1)));
        rejected(() -> new Axis.Logarithmic("rate", new Range(2, 9)));
        rejected(() -> new Axis.Categories("kernel", List.of()));
        rejected(() -> points(1, 0));
        rejected(() -> points(0.9, 1));
        rejected(() -> new Mark.Points(List.of("a", "b"), new double[1], new double[1], 0));
        rejected(() -> panel(new Mark.Points(List.of("a"), new double[1], new double[1], 0)));
        rejected(() -> bars(0.5));
        rejected(() -> bars(0.5, 1.5));
        assertEquals(1, points(100, 10).marks().size() * bars(0, 1).marks().size());
    }

    /** On axes from 1 to 100. */
    private static Panel points(double x, double y) {
        Axis axis = new Axis.Logarithmic("rate", new Range(1, 100));
        return new Panel("panel", axis, axis, Optional.empty(),
                List.of(new Mark.Points(List.of("a"), new double[] {x}, new double[] {y}, 0)));
    }

    private static Panel bars(double... ends) {
        return new Panel("panel", new Axis.Numbers("share", UNIT), new Axis.Categories("", List.of("a", "b")), Optional.empty(),
                List.of(new Mark.Bars(ends, 0)));
    }

    @Test
    void aRooflineShowsTheKernelsThatTakeTime() {
        Figure figure = SampleFigures.roofline(20);
        assertEquals(List.of("copy: 2,378 GB/s", "matrix product: 746.0 TFLOP/s"), figure.panels().getFirst().marks().stream()
                .filter(Mark.Line.class::isInstance).map(mark -> ((Mark.Line) mark).label()).toList());
        Panel shares = figure.panels().getLast();
        List<String> names = ((Axis.Categories) shares.y()).names();
        assertEquals("8 others", names.getLast());
        double[] ends = ((Mark.Bars) shares.marks().getFirst()).ends();
        assertEquals(names.size(), ends.length);
        assertEquals(100, Arrays.stream(ends).sum(), 1e-9);
        Mark.Points points = (Mark.Points) figure.panels().getFirst().marks().getLast();
        assertEquals(names.size() - 2, points.labels().size()); // nothing is known of one kernel's work
        rejected(figure::transposed);
    }

    @Test
    void transposingExchangesRowsAndColumns() {
        HeadMap map = new HeadMap("", "p-value", 2, 3, new float[] {0, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f});
        Mark.CellMarkers marked = new Mark.CellMarkers(List.of(new Mark.Cell(0, 2)));
        Figure figure = SpectraFigure.of(
                List.of(map), SpectraView.Shown.P, Optional.of(new SpectraFigure.Significant(List.of(marked), "q")), "");
        Panel turned = figure.transposed().panels().getFirst();
        assertEquals("Layer Index", turned.x().label());
        assertArrayEquals(new float[] {0, 0.3f, 0.1f, 0.4f, 0.2f, 0.5f}, ((Mark.Heatmap) turned.marks().getFirst()).values());
        assertEquals(new Mark.CellMarkers(List.of(new Mark.Cell(2, 0))), turned.marks().getLast());
        Figure curves = CurvesFigure.of(
                List.of(new CurvesFigure.Curve("a", new double[] {0, 1}, new double[] {0, 1})), "x", "y", "");
        rejected(curves::transposed);
        rejected(() -> curves.withColors(Colormap.jet()));
    }

    @Test
    void divergingColoursNeedValuesOnBothSidesOfZero() {
        Figure positive = spectra(new float[] {0.25f, 0}, new float[] {0.5f, 0.125f}, Optional.empty());
        rejected(() -> positive.withColors(Colormap.coolwarm()));
        assertEquals(List.of(Colormap.jet()), positive.withColors(Colormap.jet()).bars().stream().map(ColorBar::colormap).toList());
        HeadMap map = new HeadMap("", "effect", 1, 2, new float[] {-1, 1});
        Figure signed = new Figure(HeadPanels.of(List.of(map), new ColorBar("", new Range(-1, 1), Colormap.jet())), 1, "");
        assertEquals(Colormap.coolwarm(), signed.withColors(Colormap.named("CoolWarm")).bars().getFirst().colormap());
        rejected(() -> Colormap.named("pink"));
    }

    @Test
    void controlCharactersBecomeVisible() {
        Figure figure = new Figure(HeadPanels.of(List.of(new HeadMap("a\tb\u0007", "", 1, 1, new float[1])),
                new ColorBar("c\u200bd", UNIT, Colormap.jet())), 1, "two\nlines").withTitle("\u202ereversed");
        assertEquals("a\\tb\\u0007", figure.panels().getFirst().title());
        assertEquals("c\\u200bd", figure.bars().getFirst().label());
        assertEquals("two\\nlines", figure.caption());
        assertEquals("\\u202ereversed", figure.title());
    }

    @Test
    void aHeatmapCopiesItsValues() {
        float[] values = {1, 2};
        Mark.Heatmap map = new Mark.Heatmap(1, 2, values);
        values[0] = 7;
        map.values()[1] = 7;
        assertEquals(1, map.values()[0]);
        assertEquals(2, map.values()[1]);
    }

    @Test
    void spectraShareAScaleFromZeroToOne() {
        Figure figure = spectra(new float[] {0.25f, Float.NaN}, new float[] {0.5f, 0.125f}, Optional.empty());
        assertEquals(UNIT, figure.bars().getFirst().range());
        assertEquals("p-value", figure.bars().getFirst().label());
        assertEquals(List.of("AttnScore", "Laplacian Eigenvalues"),
                figure.panels().stream().map(Panel::title).toList());
        assertEquals(new Axis.Numbered("Layer Index", 1, 0), figure.panels().getFirst().y());
        assertEquals(new Axis.Numbered("Head Index", 2, 0), figure.panels().getFirst().x());
        assertEquals("four texts", figure.caption());
    }

    @Test
    void theCaptionExplainsTheDots() {
        var first = new Mark.CellMarkers(List.of(new Mark.Cell(0, 0)));
        var none = new Mark.CellMarkers(List.of());
        Figure figure = spectra(new float[2], new float[2],
                Optional.of(new SpectraFigure.Significant(List.of(first, none), "q < 0.05")));
        assertEquals("four texts Dot: q < 0.05.", figure.caption());
        assertTrue(figure.panels().getFirst().marks().contains(first));
    }

    @Test
    void saliencyCountsFromOneAndSharesTheScale() {
        Figure figure = saliency(heads("saliency", 0.4f, 0, 0.1f, 0), false);
        assertEquals(new Axis.Numbered("layer", 2, 1), figure.panels().getFirst().y());
        assertEquals(Optional.of(new Mark.Cell(1, 0)), figure.enlarged());
        assertEquals(1, figure.bars().size());
        assertEquals(new Range(0, 0.4), figure.bars().getFirst().range());
        assertEquals(List.of(new Axis.Group("<ENV>", 0, 1)), ((Axis.Named) figure.panels().getLast().x()).groups());
        rejected(() -> SaliencyFigure.of(heads("saliency", 0, 0, 0, 0), 2, 0, TOKENS, false, ""));
        rejected(() -> saliency(heads("saliency", -1, 0, 0, 0), false));
    }

    /** The map's largest value is 0.25. */
    @Test
    void aMapThatWouldBeDarkHasItsOwnScale() {
        assertEquals(1, saliency(heads("saliency", 1, 0, 0.1f, 0), false).bars().size());
        List<ColorBar> bars = saliency(heads("saliency", 1.01f, 0, 0.1f, 0), false).bars();
        assertEquals(2, bars.size());
        assertEquals(0.25, bars.getFirst().range().max());
        assertEquals("saliency, " + TOKENS.title(), bars.getFirst().label());
        assertEquals("saliency, all heads", bars.getLast().label());
    }

    @Test
    void aDifferentUnitHasItsOwnScale() {
        Figure figure = saliency(heads("share", 0.9f, 0, 0.1f, 0), false);
        assertEquals(List.of("saliency", "share"), figure.bars().stream().map(ColorBar::label).toList());
    }

    @Test
    void receivingTokensAreRowsUnlessTransposed() {
        var heads = new SaliencyFigure.Overview.Thumbnails(1, 2, 2, new float[] {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f});
        Figure rows = SaliencyFigure.of(heads, 0, 1, TOKENS, false, "");
        assertArrayEquals(new float[] {0.1f, 0.2f, 0.5f, 0.6f, 0.3f, 0.4f, 0.7f, 0.8f}, values(rows, 0));
        assertArrayEquals(TOKENS.values(), values(rows, 1));
        assertEquals("receiving token", rows.panels().getLast().y().label());
        Figure columns = SaliencyFigure.of(heads, 0, 1, TOKENS, true, "");
        assertArrayEquals(new float[] {0.1f, 0.3f, 0.5f, 0.7f, 0.2f, 0.4f, 0.6f, 0.8f}, values(columns, 0));
        assertArrayEquals(new float[] {0.25f, 0.125f, 0, 0.25f}, values(columns, 1));
        assertEquals("receiving token", columns.panels().getLast().x().label());
        assertEquals(new Range(0, 0.8), rows.bars().getFirst().range());
    }

    @Test
    void functionsAreInRowsOfFourAndMayExceedTheTop() {
        for (int[] shape : new int[][] {{1, 1}, {4, 4}, {5, 3}, {8, 4}, {9, 3}, {12, 4}}) {
            List<HeadMap> maps = Collections.nCopies(shape[0], new HeadMap("Retrieval", "", 1, 1, new float[] {9}));
            assertEquals(shape[1], FunctionsFigure.of(maps, 0.004, "").columns());
        }
        rejected(() -> FunctionsFigure.of(List.of(new HeadMap("", "", 1, 1, new float[] {-1})), 0.004, ""));
    }

    @Test
    void theLastTickHasAPlusIfAValueExceedsTheTop() {
        for (float value : new float[] {0.001f, Float.NaN, 0.004f, 0.0041f}) {
            List<HeadMap> maps = List.of(
                    new HeadMap("Retrieval", "", 1, 1, new float[] {0.001f}),
                    new HeadMap("Inference", "", 1, 1, new float[] {value}));
            String last = FunctionsFigure.of(maps, 0.004, "").bars().getFirst().ticks(5).getLast().label();
            assertEquals(value > 0.004f ? "0.0040+" : "0.0040", last);
        }
    }

    @Test
    void gatesAreBetweenZeroAndOne() {
        Figure figure = GatesFigure.of(List.of(new HeadMap("Math (Any)", "", 1, 1, new float[] {0.2f})), "");
        assertEquals(UNIT, figure.bars().getFirst().range());
        rejected(() -> GatesFigure.of(List.of(new HeadMap("", "", 1, 1, new float[] {1.01f})), ""));
    }

    @Test
    void invalidCurvesAreRejected() {
        rejected(() -> CurvesFigure.of(List.of(), "", "", ""));
        rejected(() -> curve(new double[] {0, 0}, new double[2]));
        rejected(() -> curve(new double[] {0, 1}, new double[1]));
        rejected(() -> curve(new double[] {0}, new double[] {Double.NaN}));
        assertEquals(new Range(3, 9), ((Axis.Numbers) curve(new double[] {3, 9}, new double[2]).panels().getFirst().x())
                .range());
    }

    private static Figure curve(double[] x, double[] y) {
        return CurvesFigure.of(List.of(new CurvesFigure.Curve("random", x, y)), "heads", "accuracy", "");
    }

    private static Figure saliency(SaliencyFigure.Overview overview, boolean transpose) {
        return SaliencyFigure.of(overview, 1, 0, TOKENS, transpose, "");
    }

    private static SaliencyFigure.Overview heads(String unit, float... values) {
        return new SaliencyFigure.Overview.Values(new HeadMap("", unit, 2, 2, values));
    }

    private static float[] values(Figure figure, int panel) {
        return ((Mark.Heatmap) figure.panels().get(panel).marks().getFirst()).values();
    }

    private static Figure spectra(float[] attention, float[] laplacian, Optional<SpectraFigure.Significant> dots) {
        return SpectraFigure.of(List.of(new HeadMap("AttnScore", "p-value", 1, 2, attention),
                new HeadMap("Laplacian Eigenvalues", "p-value", 1, 2, laplacian)), SpectraView.Shown.P, dots, "four texts");
    }

    private static Panel panel(Mark mark) {
        return new Panel("panel", new Axis.Numbered("x", 3, 0), new Axis.Numbered("y", 2, 0), Optional.of(bar(UNIT)),
                List.of(mark));
    }

    private static Mark heatmap(float value) {
        return new Mark.Heatmap(2, 3, new float[] {0, 0, value, 0, 0, 0});
    }

    private static ColorBar bar(Range range) {
        return new ColorBar("value", range, Colormap.rocket());
    }

    private static void rejected(Executable invalid) {
        assertThrows(IllegalArgumentException.class, invalid);
    }
}
