package headscope.render.layout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.figure.CurvesFigure;
import headscope.figure.Figure;
import headscope.figure.FunctionsFigure;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.figure.RooflineFigure;
import headscope.figure.SaliencyFigure;
import headscope.figure.SpectraFigure;
import headscope.render.Box;
import headscope.render.Font;
import headscope.render.Label;
import headscope.render.SampleFigures;
import headscope.render.SampleMaps;
import headscope.result.HeadMap;
import headscope.result.SpectraView;
import headscope.result.TokenGroup;
import headscope.result.TokenMap;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LayoutTest {
    private static final Font FONT = new Font();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 12, 17, 28, 32, 33, 48, 64, 80, 127, 128})
    void nothingOverlapsOrLeavesTheCanvas(int layers) {
        for (int heads = 1; heads <= 128; heads++) {
            for (double scale : new double[] {0.5, 1, 2}) {
                check(Layout.of(figure(layers, heads, 0.95f), scale, FONT),
                        "%d layers, %d heads, scale %s".formatted(layers, heads, scale));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {1, 0.3f, 0.0123f, 1e-4f, 3e-12f, 12345, 9.9e8f})
    void barsOfAnyScaleFit(float largest) {
        for (int[] size : new int[][] {{2, 128}, {32, 32}}) {
            HeadMap map = new HeadMap("Inference", "importance", size[0], size[1], new float[size[0] * size[1]]);
            check(Layout.of(FunctionsFigure.of(List.of(map, map), largest, "A caption."), 1, FONT), "up to " + largest);
        }
    }

    @Test
    void aLongCaptionWraps() {
        String caption = (SampleMaps.CAPTION + " ").repeat(8) + "x".repeat(400);
        check(Layout.of(figure(128, 1, caption), 1, FONT), "caption");
    }

    @Test
    void cellsAreSquareAndOfWholePixels() {
        for (int[] size : new int[][] {{32, 32}, {12, 12}, {28, 24}, {80, 64}, {24, 28}, {30, 10}, {1, 1}}) {
            Box box = Layout.of(figure(size[0], size[1], 1), 2, FONT).panels().getFirst();
            assertEquals(0, box.width() % size[1]);
            assertEquals(box.width() / size[1], (double) box.height() / size[0]);
            assertTrue(Math.max(box.width(), box.height()) > 800);
        }
    }

    @Test
    void narrowMapsAreStretched() {
        Box wide = Layout.of(figure(2, 128, 1), 2, FONT).panels().getFirst();
        Box tall = Layout.of(figure(128, 2, 1), 2, FONT).panels().getFirst();
        assertTrue(wide.height() > 300 && wide.width() > 800);
        assertTrue(tall.width() > 300 && tall.height() > 800);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 13, 35, 40, 64, 200, 777})
    void thePointerToTheEnlargedMapCrossesNoNameAndNoBracket(int tokens) {
        for (int[] size : new int[][] {{1, 1}, {2, 30}, {30, 2}, {6, 12}, {12, 12}, {32, 32}, {80, 64}}) {
            for (double scale : new double[] {0.5, 1, 2}) {
                String what = "%d tokens, %d layers, %d heads, scale %s".formatted(tokens, size[0], size[1], scale);
                for (int corner = 0; corner < 4; corner++) {
                    Layout layout = Layout.of(saliency(tokens, size[0], size[1], corner), scale, FONT);
                    check(layout, what);
                    layout.strokes().forEach(stroke -> layout.rules().stream()
                            .filter(stroke::crosses)
                            .forEach(rule -> assertTrue(frames(layout, scale, rule), () -> what + ": " + rule)));
                }
            }
        }
    }

    @Test
    void samplesDoNotOverlap() {
        for (String name : SampleFigures.NAMES) {
            for (double scale : new double[] {0.5, 0.75, 1, 1.5, 2, 4}) {
                check(Layout.of(SampleFigures.of(name), scale, FONT), name + ", scale " + scale);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {5, 7.25, 20})
    void figuresHaveTheGivenSize(double inches) {
        for (String name : SampleFigures.NAMES) {
            if (name.equals("roofline") && inches < 8) {
                continue; // two columns of panels with the full names of kernels beside them need 7.7 inches
            }
            Figure figure = SampleFigures.of(name).withTitle("A title that is so long that it needs more than one line");
            OptionalDouble given = OptionalDouble.of(inches);
            OptionalDouble none = OptionalDouble.empty();
            Layout wide = Layout.of(figure, new FigureSize(100, given, none, 6), FONT);
            assertEquals(Math.round(100 * inches), wide.width());
            check(wide, name + ", width " + inches);
            Layout high = Layout.of(figure, new FigureSize(100, none, given, 6), FONT);
            assertEquals(Math.round(100 * inches), high.height());
            check(high, name + ", height " + inches);
            Layout both = Layout.of(figure, new FigureSize(100, given, OptionalDouble.of(8), 6), FONT);
            assertEquals(Math.round(100 * inches), both.width());
            assertEquals(800, both.height());
            check(both, name + ", both " + inches);
        }
    }

    @Test
    void aSizeThatIsTooSmallForTheLabelsIsRejectedWithOneThatFits() {
        Figure figure = SampleFigures.of("functions-12");
        String message = assertThrows(IllegalArgumentException.class, () -> Layout.of(figure,
                new FigureSize(192, OptionalDouble.of(2), OptionalDouble.empty(), 12), FONT)).getMessage();
        Matcher needed = Pattern.compile("--width 2\\.0in is too small for the figure's labels: with a font size of 12 pt it"
                + " needs about ([\\d.]+)in x ([\\d.]+)in; a smaller --font-size needs less").matcher(message);
        assertTrue(needed.matches(), message);
        check(Layout.of(figure, new FigureSize(192, OptionalDouble.of(Double.parseDouble(needed.group(1))),
                OptionalDouble.empty(), 12), FONT), message);
        assertThrows(IllegalArgumentException.class, () -> Layout.of(figure, new FigureSize(192,
                OptionalDouble.of(Double.parseDouble(needed.group(1)) - 0.2), OptionalDouble.empty(), 12), FONT));
    }

    /** The size of the README's example, 17 cm at 9 points, and all that are not rejected. */
    @Test
    void wordsOfTitlesStayWhole() {
        Figure figure = SampleFigures.of("functions-12");
        Set<String> parts = figure.panels().stream().map(Panel::title).flatMap(Lines::parts).collect(Collectors.toSet());
        int sizes = 0;
        for (double width : new double[] {3, 4, 5, 6, 17 / 2.54, 7, 8, 10}) {
            Layout layout;
            try {
                layout = Layout.of(figure, new FigureSize(192, OptionalDouble.of(width), OptionalDouble.empty(), 9), FONT);
            } catch (IllegalArgumentException tooSmall) {
                assertTrue(width < 6.6, tooSmall.getMessage());
                continue;
            }
            sizes++;
            List<Label> titles = layout.labels().stream()
                    .filter(label -> label.text().chars().anyMatch(Character::isLetter))
                    .filter(label -> Lines.parts(label.text()).allMatch(parts::contains))
                    .toList();
            assertEquals(figure.panels().stream().map(Panel::title).flatMap(Lines::parts).sorted().toList(),
                    titles.stream().map(Label::text).flatMap(Lines::parts).sorted().toList(), "width " + width);
            assertEquals(1, titles.stream().map(Label::size).distinct().count());
        }
        assertTrue(sizes >= 4);
    }

    @ParameterizedTest
    @ValueSource(strings = {"word ", "a/b,c;", "\u65e5\u672c\u8a9e", "\u062d\u0635\u0627\u0646 ", "\ud83d\ude00", "W", "x\ty\n"})
    void longNamesNeitherOverlapNorLeaveTheCanvas(String part) {
        for (int times : new int[] {1, 10, 60}) {
            String name = part.repeat(times);
            HeadMap map = new HeadMap(name, "importance", 12, 12, new float[144]);
            for (int count : new int[] {1, 2, 5, 8}) {
                check(Layout.of(FunctionsFigure.of(Collections.nCopies(count, map), 1, name).withTitle(name), 1, FONT), name);
            }
            TokenMap tokens = SampleFigures.map(Collections.nCopies(9, name),
                    List.of(new TokenGroup(name, 0, 3), new TokenGroup(name + name, 3, 9)));
            check(Layout.of(SaliencyFigure.of(new SaliencyFigure.Overview.Values(map), 3, 3, tokens, false, name), 1, FONT), name);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-9, 2e-5, 0.003, 1, 7, 1234, 5e8})
    void axesOfAnyScaleFit(double largest) {
        double[] x = {0, largest / 3, largest};
        check(Layout.of(CurvesFigure.of(List.of(new CurvesFigure.Curve("up", x, new double[] {-largest, largest, 0}),
                new CurvesFigure.Curve("one", new double[] {largest}, new double[] {largest})), "x", "y", ""), 1, FONT),
                "up to " + largest);
    }

    /** Also where the points of a figure lie close together. */
    @ParameterizedTest
    @ValueSource(doubles = {0.75, 1, 2, 4})
    void everyPointIsLabelled(double scale) {
        assertTrue(Layout.of(SampleFigures.of("roofline"), scale, FONT).legible());
        for (int seed = 0; seed < 100; seed++) {
            Random random = new Random(seed);
            double spread = 0.5 + 3 * random.nextDouble();
            List<RooflineFigure.Kernel> kernels = IntStream.range(0, 12).mapToObj(i -> {
                double intensity = Math.pow(10, 2 - spread * random.nextDouble());
                double roof = Math.min(746, 2.378 * intensity);
                return new RooflineFigure.Kernel("attention_forward_bf16_d" + i, intensity, roof * random.nextDouble(0.1, 1.3), 0.05);
            }).toList();
            Layout layout = Layout.of(RooflineFigure.of(List.of(new RooflineFigure.Pass("pass", kernels)), 746, 2378, ""), scale, FONT);
            check(layout, "seed " + seed);
            assertTrue(layout.legible(), "seed " + seed + ", spread " + spread);
        }
    }

    @Test
    void theGridIsAsHighAsTheEnlargedMap() {
        Layout layout = Layout.of(saliency(13, 6, 12, 0), 2, FONT);
        assertEquals(layout.panels().getLast().y(), layout.panels().getFirst().y());
        assertEquals(layout.panels().getLast().height(), layout.panels().getFirst().height());
    }

    @Test
    void everyTokenIsNamedIfThereIsRoom() {
        for (int tokens : new int[] {13, 50}) {
            assertEquals(2 * tokens, named(tokens).stream().filter("word"::equals).count());
        }
        long some = named(200).stream().filter("word"::equals).count();
        assertTrue(some >= 2 * 40 && some < 2 * 100, some + " of 200");
    }

    @Test
    void panelsAreAlignedInRowsAndColumns() {
        List<Box> panels = Layout.of(SampleFigures.of("functions-32"), 2, FONT).panels();
        for (int i = 0; i < 8; i++) {
            assertEquals(panels.get(i % 4).x(), panels.get(i).x());
            assertEquals(panels.get(i / 4 * 4).y(), panels.get(i).y());
        }
    }

    private static List<String> named(int tokens) {
        return Layout.of(saliency(tokens, 12, 12, 0), 2, FONT).labels().stream().map(Label::text).toList();
    }

    /** @param corner the enlarged head: first or last layer, first or last head */
    private static Figure saliency(int tokens, int layers, int heads, int corner) {
        List<TokenGroup> groups = tokens < 3
                ? List.of()
                : List.of(new TokenGroup("<ENV>", 0, tokens / 3), new TokenGroup("<LAN>", tokens / 3, tokens));
        TokenMap map = SampleFigures.map(Collections.nCopies(tokens, "word"), groups);
        SaliencyFigure.Overview overview = new SaliencyFigure.Overview.Values(
                new HeadMap("share", "share", layers, heads, new float[layers * heads]));
        return SaliencyFigure.of(
                overview, corner / 2 * (layers - 1), corner % 2 * (heads - 1), map, corner == 0, "A caption.");
    }

    /** Whether a rule is a panel's frame or one of its tick marks. */
    private static boolean frames(Layout layout, double scale, Box rule) {
        int reach = (int) Math.ceil(scale) + 1;
        return layout.panels().stream().anyMatch(panel -> new Box(panel.x() - reach, panel.y() - reach,
                panel.width() + 2 * reach, panel.height() + 2 * reach).overlaps(rule));
    }

    @Test
    void thirtyTwoHeadsAreLabelledEveryFour() {
        List<String> labels = Layout.of(figure(32, 32, 0.95f), 2, FONT).labels().stream().map(Label::text).toList();
        assertEquals(List.of("AttnScore", "Layer Index", "0", "4", "8", "12", "16", "20", "24", "28",
                        "Head Index", "0", "4", "8", "12", "16", "20", "24", "28"),
                labels.subList(0, 19));
        assertTrue(labels.containsAll(List.of("0.0", "0.2", "0.4", "0.6", "0.8", "p-value")));
    }

    /** Labels of points alone lie within a panel. */
    private static boolean isOfPoint(Layout layout, int panel, Label label) {
        return layout.figure().panels().get(panel).marks().stream()
                .anyMatch(mark -> mark instanceof Mark.Points points && points.labels().contains(label.text()));
    }

    private static void check(Layout layout, String what) {
        Box canvas = new Box(0, 0, layout.width(), layout.height());
        List<Label> labels = layout.labels();
        for (int i = 0; i < labels.size(); i++) {
            Box box = labels.get(i).box();
            String label = what + ": " + labels.get(i).text();
            assertTrue(canvas.contains(box), label);
            for (Label other : labels.subList(0, i)) {
                assertFalse(box.overlaps(other.box()), () -> label + " over " + other.text());
            }
            for (int p = 0; p < layout.panels().size(); p++) {
                Box panel = layout.panels().get(p);
                assertTrue(!box.overlaps(panel) || panel.contains(box) && isOfPoint(layout, p, labels.get(i)), label);
            }
            layout.rules().forEach(rule -> assertFalse(box.overlaps(rule), label));
            layout.bars().forEach(bar -> assertFalse(box.overlaps(bar), label));
            layout.strokes().forEach(stroke -> assertFalse(stroke.crosses(box), label));
        }
        layout.rules().forEach(rule -> {
            assertTrue(canvas.contains(rule), what);
            for (Box box : Stream.concat(layout.panels().stream(), layout.bars().stream()).toList()) {
                assertFalse(rule.overlaps(box), () -> what + ": the frame or a tick covers cells");
            }
        });
    }

    private static Figure figure(int layers, int heads, float largest) {
        return figure(layers, heads, largest, "A caption.");
    }

    private static Figure figure(int layers, int heads, String caption) {
        return figure(layers, heads, 1, caption);
    }

    private static Figure figure(int layers, int heads, float largest, String caption) {
        float[] values = new float[layers * heads];
        values[0] = largest;
        HeadMap map = new HeadMap("AttnScore", "p-value", layers, heads, values);
        return SpectraFigure.of(List.of(map, map), SpectraView.Shown.P, Optional.empty(), caption);
    }
}
