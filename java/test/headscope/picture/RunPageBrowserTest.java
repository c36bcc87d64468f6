package headscope.picture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Browser;
import headscope.result.FunctionsResult;
import headscope.result.Manifest;
import headscope.result.RunFolder;
import headscope.result.SaliencyCell;
import headscope.result.SampleRuns;
import headscope.result.SpectraResult;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page of runs in Chromium, opened as a file. */
final class RunPageBrowserTest {
    private static final String HOSTILE = "</script><script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">";
    private static final int HEADS = SampleRuns.LAYERS * SampleRuns.HEADS;

    private static Browser browser;

    @TempDir
    private Path folder;

    @BeforeAll
    static void open() {
        browser = Browser.open(1280, 900);
    }

    @AfterAll
    static void close() {
        browser.close();
    }

    private Path run(String name, Consumer<RunFolder> write) {
        Path run = folder.resolve(name);
        SampleRuns.commit(run, write);
        return run;
    }

    private void visit(Path... runs) throws IOException {
        Path page = Files.writeString(folder.resolve("page.html"), RunPage.of("Runs", List.of(runs)));
        browser.visit(page.toUri().toString());
        browser.script("document.querySelectorAll('.plot').forEach((plot, i) => plot.id = 'plot' + i)");
    }

    private static long count(String selector) {
        return (Long) browser.script("return document.querySelectorAll(arguments[0]).length", selector);
    }

    private static String text(String selector) {
        return (String) browser.script("return document.querySelector(arguments[0]).textContent", selector);
    }

    /** Moves the mouse to the middle of a cell. */
    private static void hover(int plot, int row, int column, int rows, int columns) {
        browser.script("document.getElementById('plot%d').scrollIntoView({block: 'center'})".formatted(plot));
        String canvas = "document.querySelector('#plot%d canvas')".formatted(plot);
        browser.script("%s.id = 'canvas%d'".formatted(canvas, plot));
        browser.hover("canvas" + plot, (column + 0.5) / columns, (row + 0.5) / rows);
    }

    /** A pointer at any fraction of a pixel, for cells about as small as pixels. */
    private static void point(int plot, double down, double across) {
        browser.script("""
                const plot = document.getElementById('plot' + arguments[0]);
                const box = plot.querySelector('canvas').getBoundingClientRect();
                plot.dispatchEvent(new PointerEvent('pointermove',
                    {clientX: box.left + arguments[2] * box.width, clientY: box.top + arguments[1] * box.height}));
                """, plot, down, across);
    }

    @Test
    void everyAnalysisIsShownWithoutAComplaint() throws IOException {
        visit(run("spectra", SampleRuns.spectra(true)::write),
                run("saliency", SampleRuns.saliency(SaliencyCell.THUMBNAIL, false)::write),
                run("functions", SampleRuns.functions(FunctionsResult.Shown.ABSOLUTE, true, false)::write),
                run("gates", SampleRuns.gates()::write));
        assertEquals(4, count("section"));
        assertEquals(4, count("nav a"));
        assertEquals(4 * HEADS, count(".data.heads tbody tr"));
        assertEquals(3, count("#spectra .dot"), "heads with q < 0.05");
        assertTrue(count("#gates polyline") >= 8, "four curves for each of two tasks");
        assertEquals(List.of(), browser.complaints());
    }

    /** What the pointer is over: layer, head, the value, p and q, as the table has them. */
    @Test
    void thePointerShowsTheValuesOfAHead() throws IOException {
        visit(run("spectra", SampleRuns.spectra(true)::write));
        SpectraResult expected = SampleRuns.spectra(true);
        int layer = 2;
        int head = 1;
        hover(1, layer, head, SampleRuns.LAYERS, SampleRuns.HEADS);
        String hint = text("#hint");
        assertTrue(hint.startsWith("Laplacian Eigenvalues: layer 2, head 1p-value"), hint);
        int index = layer * SampleRuns.HEADS + head;
        for (double value : new double[] {
            expected.tested().get("laplacian").p()[index], expected.tested().get("laplacian").q()[index],
            expected.tested().get("laplacian").effect()[index]
        }) {
            String digits = new BigDecimal(value).round(new MathContext(4)).stripTrailingZeros().toPlainString();
            assertTrue(hint.contains(digits), digits + " in " + hint);
        }
        assertEquals("visible", browser.script("return document.querySelector('#plot0 .hover').getAttribute('visibility')"),
                "the other metric's map frames the same head");
        browser.clickOn("#canvas1 + svg");
        assertEquals(1, count(".data.heads tr.kept"));
        assertEquals(2, count(".kept[visibility=visible]"));
    }

    @Test
    void thePointerShowsTheTokensOfACellOfALongText() throws IOException {
        visit(run("long", SampleRuns.saliencyOfLongText(1001)::write));
        point(1, 299.5 / 300, 0.5 / 300);
        assertEquals("layer 2, head 1receiving tokens 997 to 1000w997 … w1000source tokens 0 to 2w0 … w2saliency0.5", text("#hint"));
        point(1, 200.5 / 300, 200.5 / 300);
        assertEquals("layer 2, head 1receiving tokens 667 to 669w667 … w669source tokens 667 to 669w667 … w669saliency0", text("#hint"));
        assertTrue(text("figcaption").contains("up to 4 x 4 tokens"), text("figcaption"));
        assertEquals(List.of(), browser.complaints());
    }

    @Test
    void theTableOfHeadsIsSorted() throws IOException {
        visit(run("spectra", SampleRuns.spectra(true)::write));
        String values = "return [...document.querySelectorAll('.data.heads tbody tr')]"
                + ".map(row => Number(row.children[2].title)).every((value, i, all) => i === 0 || %s)";
        browser.clickOn(".data.heads th:nth-child(3) button");
        assertEquals(true, browser.script(values.formatted("all[i - 1] <= value")));
        assertEquals("ascending", browser.script("return document.querySelector('.data.heads th:nth-child(3)').ariaSort"));
        browser.clickOn(".data.heads th:nth-child(3) button");
        assertEquals(true, browser.script(values.formatted("all[i - 1] >= value")));
    }

    @Test
    void textsOfARunAreShownAsTheyAre() throws IOException {
        Path run = run("gates", SampleRuns.gates()::write);
        Manifest manifest = Manifest.read(run);
        manifest.json().put("caption", HOSTILE).put("command", HOSTILE).put("note", HOSTILE);
        manifest.write(run.resolve(RunFolder.MANIFEST));
        visit(run);
        assertEquals(HOSTILE, text("figcaption"));
        assertEquals(HOSTILE, text(".command"));
        assertEquals("Runs", browser.script("return document.title"));
        assertEquals(0, count("img"));
        assertEquals(List.of(), browser.complaints());
    }
}
