package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.analysis.RunRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands in the demo's manifests repeat the demo's runs, with the defaults that the requests define. */
class DemoRequestsTest {
    private static final Path OUT = Path.of("runs/a demo");

    @Test
    void commandsRepeatTheirRequests() throws Exception {
        var spectra = DemoRequests.spectra(OUT);
        assertEquals(parsed(spectra.run()), spectra);
        var saliency = DemoRequests.saliency(OUT);
        assertEquals(parsed(saliency.run()), saliency);
        var functions = DemoRequests.functions(OUT);
        assertEquals(parsed(functions.run()), functions);
        var gates = DemoRequests.gates(OUT);
        assertEquals(parsed(gates.run()), gates);
    }

    /** The request that the command line builds from the command, split into words as a shell does. */
    private static Object parsed(RunRequest run) throws Exception {
        Process shell = new ProcessBuilder("bash", "-c", "printf '%s\\n' " + run.command()).start();
        List<String> words =
                new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        assertEquals("headscope", words.getFirst());
        CommandLine.ParseResult line =
                HeadscopeCommand.commandLine().parseArgs(words.subList(1, words.size()).toArray(String[]::new));
        return ((AnalysisCommand<?, ?, ?>) line.subcommand().commandSpec().userObject()).request();
    }

    @Test
    void allFourAnalysesRun(@TempDir Path folder) throws Exception {
        try (PictureFiles pictures = new PictureFiles()) {
            DemoCommand.all(folder, pictures);
        }
        for (String figure : List.of("spectra/spectra.png", "saliency/saliency.png", "functions/functions.png", "gates/gates.png",
                "gates/check-Math.png", "gates/check-Syntax.png")) {
            assertTrue(Files.size(folder.resolve(figure)) > 10_000, figure);
        }
        String page = Files.readString(folder.resolve("index.html"));
        for (String title : List.of("Laplacian Eigenvalues", "layer 1, head 4", "Math Calculation", "Syntax (Any)")) {
            assertTrue(page.contains("\"title\":\"%s\"".formatted(title)), title);
        }
    }

    @Test
    void theDemoIsRepeatedByACommandWithThreeOptions() {
        Path home = DemoRequests.HOME;
        assertEquals(
                "headscope spectra --model %s --texts %s --max-new-tokens 1 --out runs/demo --overwrite".formatted(
                        home.resolve("models/demo"), home.resolve("data/qa.jsonl")),
                DemoRequests.spectra(Path.of("runs/demo")).run().command());
    }
}
