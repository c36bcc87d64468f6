package headscope;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.result.HeadTable;
import headscope.result.SpectraValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The code of docs/python.md reads a run in Python, with NumPy and pandas. */
final class PythonDocumentationTest {
    private static final Pattern CODE = Pattern.compile("```python\n(.*?)```", Pattern.DOTALL);

    @TempDir
    Path folder;

    @Test
    void pythonReadsWhatTheRunHolds() throws Exception {
        Path run = folder.resolve("run");
        ChildJvm.Result ran = ChildJvm.run(folder, Map.of(), "", List.of("headscope.Main", "spectra", "--model", "models/demo",
                "--texts", "data/qa.jsonl", "--limit", "40", "--max-new-tokens", "1", "--no-probes", "--out", run.toString()));
        assertEquals(0, ran.status(), ran.err());
        List<String> printed = python(CODE.matcher(Files.readString(Path.of("docs/python.md"))).results()
                .map(block -> block.group(1))
                .collect(Collectors.joining())
                .replace("runs/demo", run.toString()));

        SpectraValues values = SpectraValues.read(run);
        HeadTable table = HeadTable.read(run.resolve(HeadTable.FILE));
        double[] p = table.column("laplacian_p");
        int best = IntStream.range(0, p.length).boxed().min(Comparator.comparing(head -> p[head])).orElseThrow();
        List<String> first = List.of(printed.get(2).strip().split(" +"));
        assertEquals(best / table.heads(), Integer.parseInt(first.get(0)), printed.toString());
        assertEquals(best % table.heads(), Integer.parseInt(first.get(1)), printed.toString());
        assertEquals(p[best], Double.parseDouble(first.get(2)), 0.05 * p[best]); // pandas prints few digits

        double[] difference = difference(values.find("entropy").orElseThrow().texts(), values.labels());
        int most = IntStream.range(0, difference.length).boxed()
                .max(Comparator.comparing(head -> Math.abs(difference[head]))).orElseThrow();
        assertTrue(printed.contains("entropy differs most in layer %d, head %d: %+.3f nats".formatted(
                most / table.heads(), most % table.heads(), difference[most])), printed.toString());
        long wrong = Arrays.stream(values.labels()).sum();
        assertTrue(printed.getLast().startsWith(String.format(Locale.ROOT, "%.0f%% of 40 answers are wrong", wrong / 0.4)),
                printed.toString());
    }

    /** Mean over texts of label 1 minus mean over texts of label 0, [layers, heads]. */
    private static double[] difference(List<float[]> values, long[] labels) {
        long ones = Arrays.stream(labels).sum();
        double[] difference = new double[values.getFirst().length];
        for (int text = 0; text < labels.length; text++) {
            for (int head = 0; head < difference.length; head++) {
                difference[head] += values.get(text)[head] * (labels[text] == 1 ? 1.0 / ones : -1.0 / (labels.length - ones));
            }
        }
        return difference;
    }

    private List<String> python(String code) throws IOException, InterruptedException {
        Path script = Files.writeString(folder.resolve("read.py"), code);
        Path out = folder.resolve("python.txt");
        Process process = new ProcessBuilder("/usr/bin/python3", script.toString())
                .redirectErrorStream(true).redirectOutput(out.toFile()).start();
        assertTrue(process.waitFor(2, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), Files.readString(out));
        return Files.readAllLines(out);
    }
}
