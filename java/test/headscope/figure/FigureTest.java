package headscope.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.result.HeadMap;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

final class FigureTest {
    private static final Range UNIT = new Range(0, 1);

    @Test
    void nonsenseIsRefused() {
        refused(() -> new Range(1, 1));
        refused(() -> new Range(0, Double.NaN));
        refused(() -> new Range(0, Double.POSITIVE_INFINITY));
        refused(() -> new Axis.Numbered("Head Index", 0, 0));
        refused(() -> new Colormap("one", new int[1]));
        refused(() -> new Mark.Heatmap(2, 3, new float[5]));
        refused(() -> new Mark.Heatmap(0, 3, new float[0]));
        refused(() -> new Mark.Heatmap(1, 1, new float[] {Float.POSITIVE_INFINITY}));
        refused(() -> panel(new Mark.Heatmap(3, 2, new float[6])));
        refused(() -> panel(new Mark.CellMarkers(List.of(new Mark.Cell(2, 0)))));
        refused(() -> panel(new Mark.CellMarkers(List.of(new Mark.Cell(0, -1)))));
        refused(() -> new Figure(List.of(), 1, ""));
        refused(() -> new Figure(List.of(panel(heatmap(1))), 0, ""));
        refused(() -> panel(heatmap(1.5f)));
        refused(() -> panel(heatmap(-0.1f)));
    }

    @Test
    void aMapKeepsItsOwnValues() {
        float[] values = {1, 2};
        Mark.Heatmap map = new Mark.Heatmap(1, 2, values);
        values[0] = 7;
        map.values()[1] = 7;
        assertEquals(1, map.values()[0]);
        assertEquals(2, map.values()[1]);
    }

    @Test
    void spectraShareAScaleFromZeroToTheLargest() {
        Figure figure = spectra(new float[] {0.25f, Float.NaN}, new float[] {0.5f, 0.125f}, Optional.empty());
        assertEquals(new Range(0, 0.5), figure.bars().getFirst().range());
        assertEquals("p-value", figure.bars().getFirst().label());
        assertEquals(List.of("AttnScore", "Laplacian Eigenvalues"),
                figure.panels().stream().map(Panel::title).toList());
        assertEquals(new Axis.Numbered("Layer Index", 1, 0), figure.panels().getFirst().y());
        assertEquals(new Axis.Numbered("Head Index", 2, 0), figure.panels().getFirst().x());
        assertEquals("four texts", figure.caption());
    }

    @Test
    void mapsWithoutAPositiveValueStillHaveAScale() {
        float[] none = {Float.NaN, 0};
        assertEquals(UNIT, spectra(none, none, Optional.empty()).bars().getFirst().range());
    }

    @Test
    void theCaptionSaysWhatADotMeans() {
        var first = new Mark.CellMarkers(List.of(new Mark.Cell(0, 0)));
        var none = new Mark.CellMarkers(List.of());
        Figure figure = spectra(new float[2], new float[2],
                Optional.of(new SpectraFigure.Significant(first, none, "q < 0.05")));
        assertEquals("four texts Dot: q < 0.05.", figure.caption());
        assertTrue(figure.panels().getFirst().marks().contains(first));
    }

    private static Figure spectra(float[] attention, float[] laplacian, Optional<SpectraFigure.Significant> dots) {
        return SpectraFigure.of(new HeadMap("AttnScore", "p-value", 1, 2, attention),
                new HeadMap("Laplacian Eigenvalues", "p-value", 1, 2, laplacian), dots, "four texts");
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

    private static void refused(Executable nonsense) {
        assertThrows(IllegalArgumentException.class, nonsense);
    }
}
