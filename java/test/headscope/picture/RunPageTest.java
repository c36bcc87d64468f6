package headscope.picture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.result.FunctionsResult;
import headscope.result.Manifest;
import headscope.result.RunFolder;
import headscope.result.SaliencyCell;
import headscope.result.SampleRuns;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A page holds all that a run shows, as data, and refers to nothing else. */
final class RunPageTest {
    private static final String HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> & \"";

    @TempDir
    private Path folder;

    private Path run(String name, Consumer<RunFolder> write) {
        Path run = folder.resolve(name);
        SampleRuns.commit(run, write);
        return run;
    }

    private List<Path> all() {
        return List.of(
                run("spectra", SampleRuns.spectra(true)::write),
                run("saliency", SampleRuns.saliency(SaliencyCell.THUMBNAIL, false)::write),
                run("functions", SampleRuns.functions(FunctionsResult.Shown.ABSOLUTE, true, false)::write),
                run("gates", SampleRuns.gates()::write));
    }

    private static JsonNode data(String page) throws IOException {
        String start = "<script type=\"application/json\" id=\"data\">";
        int from = page.indexOf(start) + start.length();
        return new ObjectMapper().readTree(page.substring(from, page.indexOf("</script>", from)));
    }

    @Test
    void aPageHoldsTheFiguresTablesAndSettingsOfEveryRun() throws IOException {
        List<Path> runs = all();
        JsonNode data = data(RunPage.of("Title", runs));
        assertEquals("Title", data.at("/title").asText());
        for (int i = 0; i < runs.size(); i++) {
            JsonNode run = data.at("/runs/" + i);
            assertEquals(runs.get(i).getFileName().toString(), run.at("/name").asText());
            assertEquals(Manifest.read(runs.get(i)).json(), run.at("/manifest"));
            assertEquals(Manifest.read(runs.get(i)).caption(), run.at("/figures/0/caption").asText().replace(" Dot: q < 0.05.", ""));
            assertFalse(run.at("/legend").asText().isEmpty());
            assertEquals(run.at("/heads/names").size(), run.at("/heads/columns").size());
            for (JsonNode figure : run.at("/figures")) {
                figure.at("/bars").forEach(bar ->
                        assertEquals(256, data.at("/colormaps/" + bar.at("/colormap").asText()).size()));
            }
        }
        List<String> titles = new ArrayList<>();
        data.at("/runs/3/figures/1/panels").forEach(panel -> titles.add(panel.at("/title").asText()));
        assertFalse(titles.isEmpty());
        assertTrue(titles.stream().noneMatch(String::isEmpty), "each check is named: " + titles);
        assertEquals(2, data.at("/runs/2/tables").size());
    }

    @Test
    void valuesAreNotRounded() throws IOException {
        Path run = run("spectra", SampleRuns.spectra(false)::write);
        JsonNode heads = data(RunPage.of("", List.of(run))).at("/runs/0/heads");
        double[] expected = SampleRuns.spectra(false).tested().get("laplacian").q();
        for (int i = 0; i < heads.at("/names").size(); i++) {
            if (heads.at("/names/" + i).asText().equals("laplacian_q")) {
                ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(heads.at("/columns/" + i).asText()))
                        .order(ByteOrder.LITTLE_ENDIAN);
                for (double value : expected) {
                    assertEquals(value, bytes.getDouble());
                }
                assertFalse(bytes.hasRemaining());
            }
        }
    }

    /** 1,001 tokens in 300 cells of three or four: the page stays small, and says so. */
    @Test
    void mapsOfLongTextsArePooled() throws IOException {
        Path run = run("long", SampleRuns.saliencyOfLongText(1001)::write);
        String page = RunPage.of("", List.of(run));
        assertTrue(page.length() < 1_500_000, page.length() + " characters");
        for (int figure = 0; figure < 2; figure++) {
            JsonNode json = data(page).at("/runs/0/figures/" + figure);
            assertTrue(json.at("/caption").asText().endsWith("A cell of the token map shows the largest value of up to 4 x 4 tokens."
                    + " Tokens are counted from 0."), json.at("/caption").asText());
            JsonNode panel = json.at("/panels/" + (1 - figure));
            assertEquals(1001, panel.at("/y/tokens").asInt());
            assertEquals(300, panel.at("/y/count").asInt());
            assertEquals("w997", panel.at("/y/names/299").asText());
            assertEquals("w1000", panel.at("/y/last/299").asText());
            assertEquals(300, panel.at("/y/groups/1/end").asDouble(), 1e-9);
            ByteBuffer values = ByteBuffer.wrap(Base64.getDecoder().decode(panel.at("/marks/0/values").asText()))
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (int cell = 0; cell < 300 * 300; cell++) {
                assertEquals(cell >= 299 * 300 ? 0.5f : cell % 300 == 0 ? 0.25f : 0, values.getFloat());
            }
            assertFalse(values.hasRemaining());
        }
        Path same = run("same", SampleRuns.saliencyOfLongText(300)::write);
        assertEquals(300, data(RunPage.of("", List.of(same))).at("/runs/0/figures/0/panels/1/y/names").size());
        assertTrue(data(RunPage.of("", List.of(same))).at("/runs/0/figures/0/panels/1/y/tokens").isMissingNode());
        assertTrue(RunPage.of("", Collections.nCopies(8, run)).length() < 10_000_000);
    }

    /** What a run contains is data: it neither ends the script element nor becomes markup. */
    @Test
    void textsOfARunAreNeverMarkup() throws IOException {
        Path run = run("gates", SampleRuns.gates()::write);
        Manifest manifest = Manifest.read(run);
        manifest.json().put("caption", HOSTILE).put("command", HOSTILE);
        manifest.write(run.resolve(RunFolder.MANIFEST));
        String page = RunPage.of(HOSTILE, List.of(run));
        assertFalse(page.contains("<script>alert"));
        assertFalse(page.contains("<img"));
        assertFalse(page.contains("<!--"));
        assertEquals(HOSTILE, data(page).at("/runs/0/command").asText());
        assertEquals(3, page.split("</script>", -1).length, "the data and the page's own script");
    }

    /** The page is one file: the browser is told to load nothing, and there is nothing to load. */
    @Test
    void nothingElseIsLoaded() {
        String page = RunPage.of("", all());
        assertTrue(page.contains("content=\"default-src 'none'; style-src 'sha256-"), page);
        String own = page.replace("http://www.w3.org/2000/svg", "");
        for (String foreign : List.of("http:", "https:", "src=", "href=\"", "<link", "@import", "url(", "fetch(", "unsafe")) {
            assertFalse(own.contains(foreign), foreign);
        }
    }
}
