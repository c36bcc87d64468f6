package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import headscope.result.Manifest;
import headscope.result.ResultFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoPageTest {
    private static final Pattern ADDRESS = Pattern.compile("(?:src|href)=\"([^\"]*)\"");

    @TempDir
    Path folder;

    private void run(String name, String caption, String... figures) throws IOException {
        Path run = Files.createDirectory(folder.resolve(name));
        new Manifest(JsonNodeFactory.instance.objectNode()
                        .put("command", "headscope " + name + " --groups \"0-6:<ENV>\"")
                        .put("caption", caption))
                .write(run.resolve("manifest.json"));
        Files.createFile(run.resolve("heads.csv"));
        for (String figure : figures) {
            Files.createFile(run.resolve(figure));
        }
    }

    private static List<String> addresses(String page) {
        return ADDRESS.matcher(page).results().map(found -> found.group(1)).toList();
    }

    @Test
    void showsEveryFigureWithItsCaptionAndSummary() throws IOException {
        run("gates", "Two tasks.", "check-Math.png", "gates.png", "check-Syntax.png");
        run("saliency", "One sentence.", "saliency.png");
        Map<String, String> summaries = new LinkedHashMap<>();
        summaries.put("saliency", "largest 0.27\n");
        summaries.put("gates", "Math 0.93\n");
        Path written = DemoPage.write(folder, summaries);

        assertEquals(folder.resolve("index.html"), written);
        String page = Files.readString(written);
        assertEquals(
                List.of("saliency/saliency.png", "saliency/heads.csv", "saliency/manifest.json", "gates/gates.png",
                        "gates/check-Math.png", "gates/check-Syntax.png", "gates/heads.csv", "gates/manifest.json"),
                addresses(page));
        for (String shown : List.of("<figcaption>Two tasks.<", "<figcaption>One sentence.<", "largest 0.27", "Math 0.93")) {
            assertTrue(page.contains(shown), shown);
        }
    }

    /** The page refers to files in its own folder only. */
    @Test
    void everyAddressIsAnExistingFile() throws IOException {
        run("functions", "", "functions.png");
        String page = Files.readString(DemoPage.write(folder, Map.of("functions", "")));
        for (String address : addresses(page)) {
            assertTrue(Files.exists(folder.resolve(address)), address);
        }
        for (String foreign : List.of("http:", "https:", "//", "<script", "<link", "@import", "url(")) {
            assertFalse(page.contains(foreign), foreign);
        }
    }

    @Test
    void escapesMarkup() throws IOException {
        run("gates", "<CHI> & \"horse\"", "check-<b>.png");
        String page = Files.readString(DemoPage.write(folder, Map.of("gates", "<ENV> -> <LAN>")));
        assertTrue(page.contains("--groups &quot;0-6:&lt;ENV&gt;&quot;"), page);
        assertTrue(page.contains("&lt;CHI&gt; &amp; &quot;horse&quot;"), page);
        assertTrue(page.contains("&lt;ENV&gt; -&gt; &lt;LAN&gt;"), page);
        assertTrue(page.contains("src=\"gates/check-&lt;b&gt;.png\""), page);
    }

    @Test
    void keepsTheEarlierPageIfWritingFails() throws IOException {
        Files.writeString(folder.resolve("index.html"), "earlier");
        assertThrows(ResultFormatException.class, () -> DemoPage.write(folder, Map.of("absent", "")));
        assertEquals("earlier", Files.readString(folder.resolve("index.html")));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }
}
