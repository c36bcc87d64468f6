package headscope.picture;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.Panel;
import headscope.figure.Range;
import headscope.result.FunctionsResult;
import headscope.result.GateCurve;
import headscope.result.GateScore;
import headscope.result.GatesResult;
import headscope.result.Manifest;
import headscope.result.ResultFormatException;
import headscope.result.RunFolder;
import headscope.result.SaliencyCell;
import headscope.result.SaliencyColumn;
import headscope.result.SaliencyResult;
import headscope.result.SampleRuns;
import headscope.result.SpectraResult;
import headscope.result.SpectraView;
import headscope.result.TestedHeads;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The figures of run folders show the numbers in them. */
class RunFiguresTest {
    @TempDir
    private Path folder;

    private SequencedMap<String, Figure> figures(Consumer<RunFolder> write) {
        Path run = folder.resolve("run");
        SampleRuns.commit(run, write);
        return RunFigures.of(run);
    }

    private static void check(List<String> titles, String caption, Figure figure) {
        assertEquals(titles, figure.panels().stream().map(Panel::title).toList());
        assertEquals(caption, figure.caption());
    }

    private static void check(double[] expected, Panel panel) {
        float[] rounded = new float[expected.length];
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = (float) expected[i];
        }
        check(rounded, panel);
    }

    private static void check(float[] expected, Panel panel) {
        assertArrayEquals(expected, ((Mark.Heatmap) panel.marks().getFirst()).values(), panel.title());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void spectra(boolean markSignificant) {
        SpectraResult run = SampleRuns.spectra(markSignificant);
        SequencedMap<String, Figure> figures = figures(run::write);
        assertEquals(markSignificant ? List.of("spectra.png", "spectra-layers.png") : List.of("spectra.png"),
                List.copyOf(figures.keySet()));
        Figure figure = figures.get("spectra.png");
        check(List.of("AttnScore", "Laplacian Eigenvalues"),
                "Caption of spectra." + (markSignificant ? " Dot: q < 0.05." : ""), figure);
        check(run.tested().get("attention_score").p(), figure.panels().get(0));
        check(run.tested().get("laplacian").p(), figure.panels().get(1));
        assertEquals(markSignificant
                        ? List.of(List.of(new Mark.Cell(0, 0), new Mark.Cell(0, 1)), List.of(new Mark.Cell(0, 0)))
                        : List.of(),
                figure.panels().stream()
                        .flatMap(panel -> panel.marks().stream())
                        .filter(Mark.CellMarkers.class::isInstance)
                        .map(mark -> ((Mark.CellMarkers) mark).cells())
                        .toList());
    }

    @Test
    void probesOfEachLayer() {
        SpectraResult run = SampleRuns.spectra(true);
        Figure figure = figures(run::write).get("spectra-layers.png");
        check(List.of(""), "Caption of the layers.", figure);
        Panel panel = figure.panels().getFirst();
        assertEquals(1, panel.marks().size());
        Mark.Line line = (Mark.Line) panel.marks().getFirst();
        assertEquals("AttnLogDet", line.label());
        assertArrayEquals(new double[] {0, 1, 2}, line.x());
        assertArrayEquals(run.probes().orElseThrow().mean("AttnLogDet"), line.y());
    }

    /** The quantities of a run that a caller chooses, with ranges that are as long on both sides of no difference. */
    @ParameterizedTest
    @EnumSource(SpectraView.Shown.class)
    void quantitiesOfSpectra(SpectraView.Shown shown) {
        SpectraResult run = SampleRuns.spectra(false);
        Path written = folder.resolve("run");
        SampleRuns.commit(written, run::write);
        Figure figure = RunFigures.of(written, view -> new SpectraView(List.of("laplacian"), shown, true, 0.03))
                .get("spectra.png");
        TestedHeads tested = run.tested().get("laplacian");
        check(switch (shown) {
            case P -> tested.p();
            case LOG10P -> Arrays.stream(tested.p()).map(Math::log10).toArray();
            case Q -> tested.q();
            case EFFECT -> tested.effect();
            case AUROC -> tested.auroc();
        }, figure.panels().getFirst());
        assertEquals(1, figure.panels().size());
        assertEquals(List.of(new Mark.Cell(0, 0)), ((Mark.CellMarkers) figure.panels().getFirst().marks().get(1)).cells());
        assertEquals("Caption of spectra." + switch (shown) {
            case P -> "";
            case LOG10P -> " Colour: decimal logarithm of p.";
            case Q -> " Colour: q, p corrected for the number of heads (Benjamini-Hochberg).";
            case EFFECT -> " Colour: rank-biserial correlation, positive where label 1 has the larger values.";
            case AUROC -> " Colour: AUROC of each head alone, above 0.5 where label 1 has the larger values.";
        } + " Dot: q < 0.03.", figure.caption());
        Range range = figure.bars().getFirst().range();
        double middle = shown == SpectraView.Shown.AUROC ? 0.5 : 0;
        switch (shown) {
            case P, Q -> assertEquals(new Range(0, 1), range);
            case LOG10P -> assertEquals(0, range.max());
            case EFFECT, AUROC -> assertEquals(middle - range.min(), range.max() - middle, 1e-12);
        }
    }

    @Test
    void rejectsToDrawWhatIsNotTested() {
        Path written = folder.resolve("run");
        SampleRuns.commit(written, SampleRuns.spectra(false)::write);
        assertEquals(written + ": tests only attention_score, laplacian; to draw entropy, test it first: spectra --from " + written
                + " --test entropy", assertThrows(ResultFormatException.class, () -> RunFigures.of(written,
                        view -> new SpectraView(List.of("laplacian", "entropy"), view.shown(), false, 0.05))).getMessage());
    }

    @ParameterizedTest
    @EnumSource(SaliencyCell.class)
    void saliency(SaliencyCell cell) {
        SaliencyResult run = SampleRuns.saliency(cell, false);
        SequencedMap<String, Figure> figures = figures(run::write);
        assertEquals(List.of("saliency.png", "saliency-0.1.png", "saliency-2.1.png"), List.copyOf(figures.keySet()));
        Figure further = figures.get("saliency-2.1.png");
        check(List.of("", "layer 3, head 2"), "Caption of a map.", further);
        assertEquals(Optional.of(new Mark.Cell(2, 1)), further.enlarged());
        check(run.maps().get(1), further.panels().get(1));
        Figure figure = figures.get("saliency.png");
        check(List.of("", "layer 2, head 1"), "Caption of saliency.", figure);
        assertEquals(Optional.of(new Mark.Cell(1, 0)), figure.enlarged());
        check(run.map(), figure.panels().get(1));
        Panel overview = figure.panels().get(0);
        switch (cell) {
            case MAX -> check(run.means().get(SaliencyColumn.MAXIMUM), overview);
            case MEAN -> check(run.means().get(SaliencyColumn.MEAN), overview);
            case SHARE -> check(run.means().get(SaliencyColumn.AGGREGATE_SHARE), overview);
            case THUMBNAIL -> check(tiled(run.thumbnails().orElseThrow()), overview);
        }
    }

    /** The thumbnails in their cells: [layers, heads, side, side] to [layers * side, heads * side]. */
    private static float[] tiled(SaliencyResult.Thumbnails small) {
        float[] tiled = new float[small.values().length];
        int i = 0;
        for (int layer = 0; layer < SampleRuns.LAYERS; layer++) {
            for (int head = 0; head < SampleRuns.HEADS; head++) {
                for (int row = 0; row < small.side(); row++) {
                    for (int column = 0; column < small.side(); column++) {
                        int down = layer * small.side() + row;
                        int right = head * small.side() + column;
                        tiled[down * SampleRuns.HEADS * small.side() + right] = small.values()[i++];
                    }
                }
            }
        }
        return tiled;
    }

    @Test
    void transposedSaliency() {
        SaliencyResult run = SampleRuns.saliency(SaliencyCell.MAX, true);
        int tokens = run.tokens().tokens().size();
        float[] transposed = new float[tokens * tokens];
        for (int receiving = 0; receiving < tokens; receiving++) {
            for (int source = 0; source < tokens; source++) {
                transposed[source * tokens + receiving] = run.map()[receiving * tokens + source];
            }
        }
        Panel enlarged = figures(run::write).get("saliency.png").panels().get(1);
        assertEquals("receiving token", enlarged.x().label());
        assertEquals("source token", enlarged.y().label());
        check(transposed, enlarged);
    }

    @ParameterizedTest
    @EnumSource(FunctionsResult.Shown.class)
    void functions(FunctionsResult.Shown shown) {
        FunctionsResult run = SampleRuns.functions(shown, false, true);
        SequencedMap<String, Figure> figures = figures(run::write);
        assertEquals(List.of("functions.png"), List.copyOf(figures.keySet()));
        Figure figure = figures.get("functions.png");
        check(List.copyOf(run.importance().keySet()), "Caption of functions.", figure);
        int i = 0;
        for (double[] signed : run.importance().values()) {
            check(Arrays.stream(signed)
                    .map(value -> shown == FunctionsResult.Shown.ABSOLUTE ? Math.abs(value) : Math.max(value, 0))
                    .toArray(), figure.panels().get(i++));
        }
        assertEquals(0.75, figure.bars().getFirst().range().max());
    }

    @Test
    void gates() {
        GatesResult run = SampleRuns.gates();
        SequencedMap<String, Figure> figures = figures(run::write);
        assertEquals(List.of("gates.png", "check-Math.png", "check-Syntax_2.png"), List.copyOf(figures.keySet()));
        Figure figure = figures.get("gates.png");
        check(List.of("Math (Always)", "Math (Any)", "Syntax_2 (Always)", "Syntax_2 (Any)", "Contrast (Always)",
                "Contrast (Any)"), "Caption of gates.", figure);
        int i = 0;
        for (GatesResult.Task task : run.tasks()) {
            GatesResult.Scores scores = task.scores()
                    .get(task.check().isPresent() ? GateScore.INTERFERENCE : GateScore.CONTRAST);
            check(scores.always(), figure.panels().get(i++));
            check(scores.any(), figure.panels().get(i++));
        }
    }

    @Test
    void checksOfGates() {
        GatesResult run = SampleRuns.gates();
        Figure figure = figures(run::write).get("check-Math.png");
        check(List.of(""), "Math: Caption of the check.", figure);
        GatesResult.Check check = run.tasks().getFirst().check().orElseThrow();
        List<String> labels = new ArrayList<>();
        List<GateCurve> curves =
                List.of(GateCurve.SHUT, GateCurve.SHUT_RANDOM, GateCurve.OPEN, GateCurve.OPEN_RANDOM);
        for (int i = 0; i < curves.size(); i++) {
            Mark.Line line = (Mark.Line) figure.panels().getFirst().marks().get(i);
            labels.add(line.label());
            assertArrayEquals(new double[] {0, 2, 4, 6}, line.x());
            assertArrayEquals(check.logProb().get(curves.get(i)), line.y(), line.label());
        }
        assertEquals(List.of("shut, least facilitating first", "shut, random order",
                "opened, most interfering first", "opened, random order"), labels);
    }

    @Test
    void rejectsAnUnknownAnalysis() {
        Manifest manifest = new Manifest(JsonNodeFactory.instance.objectNode().put("analysis", "dreams"));
        Path run = folder.resolve("run");
        assertEquals(run.resolve("manifest.json") + ": \"analysis\" is \"dreams\", not spectra, saliency, "
                + "functions or gates", assertThrows(ResultFormatException.class,
                () -> figures(begun -> manifest.write(begun.file("manifest.json")))).getMessage());
        Path missing = folder.resolve("missing");
        assertEquals(missing + ": no such folder; give the folder of a finished run",
                assertThrows(ResultFormatException.class, () -> RunFigures.of(missing)).getMessage());
    }
}
