package headscope.cli;

import headscope.result.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A static HTML page of several runs in the same folder: their figures, captions and printed summaries. */
final class DemoPage {
    private static final String HEAD = """
            <!DOCTYPE html>
            <html lang="en">
            <meta charset="utf-8">
            <title>Headscope: four analyses of the demo checkpoint</title>
            <style>
            body { font-family: sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; color: #222; }
            img { max-width: 100%; }
            pre { overflow-x: auto; background: #f5f5f5; padding: 1em; }
            figcaption { color: #555; }
            </style>
            <h1>Four analyses of the demo checkpoint</h1>
            """;

    private DemoPage() {}

    /**
     * Writes {@code index.html} atomically.
     *
     * @param folder    of the page and of the runs
     * @param summaries printed text of each run by the name of its folder, in the order of the page
     */
    static Path write(Path folder, Map<String, String> summaries) throws IOException {
        StringBuilder page = new StringBuilder(HEAD);
        for (Map.Entry<String, String> run : summaries.entrySet()) {
            Manifest manifest = Manifest.read(folder.resolve(run.getKey()));
            page.append("<h2>%s</h2>%n<p><code>%s</code></p>%n".formatted(
                    escaped(run.getKey()), escaped(manifest.text("/command"))));
            page.append("<figure>\n");
            for (String figure : figures(folder.resolve(run.getKey()))) {
                page.append("<img src=\"%1$s\" alt=\"%1$s\">%n".formatted(escaped(run.getKey() + "/" + figure)));
            }
            page.append("<figcaption>%s</figcaption>%n</figure>%n<pre>%s</pre>%n".formatted(
                    escaped(manifest.text("/caption")), escaped(run.getValue().strip())));
            page.append("<p><a href=\"%1$s/heads.csv\">heads.csv</a> <a href=\"%1$s/manifest.json\">manifest.json</a></p>%n"
                    .formatted(escaped(run.getKey())));
        }
        Path partial = Files.writeString(folder.resolve("index.html.partial"), page.append("</html>\n"));
        return Files.move(partial, folder.resolve("index.html"), StandardCopyOption.ATOMIC_MOVE);
    }

    /** The figure named after its folder comes first, the others follow in alphabetical order. */
    private static List<String> figures(Path run) throws IOException {
        try (Stream<Path> files = Files.list(run)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".png"))
                    .sorted(Comparator.comparing((String name) -> !name.equals(run.getFileName() + ".png"))
                            .thenComparing(Comparator.naturalOrder()))
                    .toList();
        }
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
