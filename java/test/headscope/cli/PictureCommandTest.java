package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.result.FunctionsResult;
import headscope.result.SaliencyCell;
import headscope.result.SampleRuns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code render}, {@code compare} and {@code view --out}, on small runs. */
class PictureCommandTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void runs() {
        for (String name : List.of("one", "two")) {
            SampleRuns.commit(folder.resolve(name), run -> {
                SampleRuns.spectra(false).write(run);
                SampleRuns.spectraValues().write(run);
            });
        }
        SampleRuns.commit(folder.resolve("saliency"), SampleRuns.saliency(SaliencyCell.MAX, false)::write);
        SampleRuns.commit(folder.resolve("functions"),
                SampleRuns.functions(FunctionsResult.Shown.ABSOLUTE, false, false)::write);
    }

    /** Words that begin with @ are names in the folder. */
    private ChildJvm.Result headscope(String command) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of("headscope.Main"));
        for (String word : command.split(" +")) {
            words.add(word.startsWith("@") ? folder.resolve(word.substring(1)).toString() : word);
        }
        Path output = Files.createDirectories(folder.resolve("output"));
        return ChildJvm.run(output, Map.of(), "", words);
    }

    @Test
    void sizesAreExactInBothFormats() throws Exception {
        String options = " --title Title --width 120mm --height 3in --font-size 7 --colors viridis --transpose --dpi 100";
        ChildJvm.Result png = headscope("render @one --out @a.png" + options);
        assertEquals(0, png.status(), png.err());
        assertEquals(472, ImageIO.read(folder.resolve("a.png").toFile()).getWidth());
        assertEquals(300, ImageIO.read(folder.resolve("a.png").toFile()).getHeight());
        assertEquals(0, headscope("render @one --out @a.SVG" + options).status());
        String svg = Files.readString(folder.resolve("a.SVG"));
        assertTrue(svg.contains("viewBox=\"0 0 472 300\"") && svg.contains("width=\"4.72in\" height=\"3in\""), svg.substring(0, 400));
        assertTrue(svg.contains(">Title</text>") && svg.contains(">Layer Index</text>"), svg);
        assertEquals(0, headscope("view @one --out @b.svg" + options).status());
        assertEquals(svg, Files.readString(folder.resolve("b.svg")));
    }

    @Test
    void twoRunsAreCompared() throws Exception {
        ChildJvm.Result compared = headscope("compare @one @two --out @c.svg --top 1");
        assertEquals(0, compared.status(), compared.err());
        assertTrue(compared.out().startsWith("No test: "), compared.out());
        assertTrue(compared.out().contains("\nlaplacian\nAll heads have the same values in both runs.\n"), compared.out());
        assertTrue(Files.readString(folder.resolve("c.svg")).contains(">laplacian: two \u2212 one</text>"));
        assertEquals(13, Files.readAllLines(folder.resolve("c.csv")).size());
        assertEquals(0, headscope("compare @one @two --show both --measure laplacian --out @d.png").status());
        assertTrue(Files.exists(folder.resolve("d.png")) && Files.exists(folder.resolve("d.csv")));
    }

    /** The table too, whose name the user has not typed. */
    @Test
    void comparisonsReplaceFilesOnlyIfAsked() throws Exception {
        for (String name : List.of("data.csv", "data.svg")) {
            Path file = Files.writeString(folder.resolve(name), "precious");
            ChildJvm.Result refused = headscope("compare @one @two --out @data.svg");
            assertEquals(2, refused.status(), refused.toString());
            assertEquals("headscope: " + file + ": already exists; choose another --out, or use --overwrite\n", refused.err());
            assertEquals("precious", Files.readString(file));
            Files.delete(file);
        }
        Path table = Files.writeString(folder.resolve("data.csv"), "precious");
        assertEquals(0, headscope("compare @one @two --out @data.svg --overwrite").status());
        assertEquals(13, Files.readAllLines(table).size());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            render @one --out @x.gif                       | x.gif: a figure is written as .png or .svg
            render @one --out @x                           | x: a figure is written as .png or .svg
            view @one --out @x.jpeg                        | x.jpeg: a figure is written as .png or .svg
            view @one --out @x.svg --html @x.html --height 1 | --height 1.0in is too small for the figure's labels
            view @one --title T                            | --title applies to the file of --out
            render @one --out @x.png --width 1mm           | --width 0.1in is too small for the figure's labels
            render @one --out @x.svg --height 1            | --height 1.0in is too small for the figure's labels
            render @one --out @x.svg --font-size 150       | --font-size 150 is too large for the figure's natural size
            render @one --out @x.svg --font-size 1         | --font-size must be from 2 to 200 points
            render @one --out @x.svg --width 5ft           | --width must be a length such as 6.5, 165mm, 16.5cm or 1200px
            render @one --out @x.svg --width 1000000cm     | --width must be above 0 and at most 200 inches, not 1000000cm
            render @one --out @x.svg --width 99999999999px | --width must be above 0 and at most 200 inches, not 99999999999px
            render @one --out @x.png --dpi 1200 --width 300cm | choose a lower --dpi or a smaller --width and --height, or draw it into an .svg file with --out
            render @one --out @x.svg --width -3            | --width must be a length
            render @one --out @x.svg --height 0            | --height must be above 0 and at most 200 inches
            render @one --out @x.svg --colors pink         | unknown colour map "pink"; use one of magma, inferno
            render @one --out @x.svg --colors coolwarm     | coolwarm is a diverging colour map
            render @saliency --out @x.svg --transpose      | --transpose exchanges layers and heads
            render @one @two --out @x.svg                  | --out is for the figure of a single run
            render @one --out @none/x.svg                  | x.svg: cannot be written: there is no such folder
            compare @one @two --out @x.pdf                 | x.pdf: a figure is written as .png or .svg
            compare @one @functions --out @x.svg           | two runs of the same analysis can be compared
            compare @one @two --measure entropy            | one contains no "entropy"; it contains "attention_score", "laplacian"
            compare @one @none --out @x.svg                | none: no such folder
            compare @one @two --out @one/heads.svg         | one is the folder of a run; write the comparison into another one
            """)
    void whatCannotBeDrawnIsRefusedAndLeavesNothing(String command, String message) throws Exception {
        ChildJvm.Result result = headscope(command);
        assertEquals(2, result.status(), result.toString());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains(message), result.err());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of("functions", "one", "output", "saliency", "two"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }
}
