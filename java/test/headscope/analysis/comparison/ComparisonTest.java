package headscope.analysis.comparison;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.analysis.InputException;
import headscope.analysis.statistics.BenjaminiHochberg;
import headscope.analysis.statistics.WilcoxonSignedRank;
import headscope.result.ComparisonTable;
import headscope.result.FunctionsResult;
import headscope.result.ResultFormatException;
import headscope.result.SaliencyCell;
import headscope.result.SampleRuns;
import headscope.result.SampleTable;
import headscope.result.SpectraResult;
import headscope.result.SpectraValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {
    private static final int CELLS = SampleRuns.LAYERS * SampleRuns.HEADS;
    private static final int TEXTS = 9;

    @TempDir
    private Path folder;

    /** Two values of the Laplacian per head and text; or k. */
    private Path spectra(String name, long seed, String digest, List<String> ids) {
        return spectra(name, seed, digest, ids, 2);
    }

    private Path spectra(String name, long seed, String digest, List<String> ids, int k) {
        Random random = new Random(seed);
        List<float[]> scores = new ArrayList<>();
        List<float[]> eigenvalues = new ArrayList<>();
        List<SampleTable.Sample> samples = new ArrayList<>();
        for (int text = 0; text < TEXTS; text++) {
            scores.add(floats(random, CELLS));
            eigenvalues.add(floats(random, k * CELLS));
            samples.add(new SampleTable.Sample(text, 3, "0", "", "", ids.isEmpty() ? "" : ids.get(text), ""));
        }
        SpectraResult sample = SampleRuns.spectra(false);
        sample.manifest().json().putObject("texts").put("sha256", digest);
        SpectraResult run = new SpectraResult(
                sample.manifest(), sample.layers(), sample.heads(), sample.tested(), new SampleTable(samples),
                sample.probes());
        SpectraValues values = new SpectraValues(SampleRuns.LAYERS, SampleRuns.HEADS, List.of(
                new SpectraValues.Measured("attention_score", OptionalInt.empty(), scores),
                new SpectraValues.Measured("laplacian", OptionalInt.of(k), eigenvalues)), new long[TEXTS]);
        SampleRuns.commit(folder.resolve(name), out -> {
            run.write(out);
            values.write(out);
        });
        return folder.resolve(name);
    }

    private static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }

    @Test
    void sameTextsArePairedByIndex() {
        Path one = spectra("one", 1, "same", List.of());
        Path other = spectra("other", 2, "same", List.of());
        Comparison found = Comparison.of(one, other, List.of());
        assertEquals(TEXTS, found.pairs());
        assertEquals("", found.untested());
        List<float[]> first = SpectraValues.read(one).find("laplacian").orElseThrow().texts();
        List<float[]> second = SpectraValues.read(other).find("laplacian").orElseThrow().texts();
        ComparisonTable.Measure laplacian = found.table().measures().getLast();
        assertEquals("laplacian", laplacian.name());
        double[] p = new double[CELLS];
        for (int head = 0; head < CELLS; head++) {
            double[] differences = new double[TEXTS];
            double sum = 0;
            for (int text = 0; text < TEXTS; text++) {
                double before = ((double) first.get(text)[2 * head] + first.get(text)[2 * head + 1]) / 2;
                double after = ((double) second.get(text)[2 * head] + second.get(text)[2 * head + 1]) / 2;
                differences[text] = after - before;
                sum += before;
            }
            p[head] = WilcoxonSignedRank.p(differences);
            assertEquals(sum / TEXTS, laplacian.value1()[head], 1e-7);
            assertEquals(Arrays.stream(differences).average().orElseThrow(), laplacian.difference()[head], 1e-7);
        }
        assertArrayEquals(p, laplacian.p(), 1e-12);
        assertArrayEquals(BenjaminiHochberg.qValues(p), laplacian.q(), 1e-12);
    }

    @Test
    void idsPairTextsInAnyOrder() {
        List<String> ids = List.of("a", "b", "c", "d", "e", "f", "g", "h", "i");
        Path one = spectra("one", 1, "one file", ids);
        Path again = spectra("again", 1, "another file", ids);
        ComparisonTable.Measure same = Comparison.of(one, again, List.of("attention_score")).table().measures().getFirst();
        assertArrayEquals(new double[CELLS], same.difference());
        assertTrue(Arrays.stream(same.p()).allMatch(p -> p == 1));
        Path rotated = spectra("rotated", 1, "another file", List.of("i", "a", "b", "c", "d", "e", "f", "g", "h"));
        Comparison turned = Comparison.of(one, rotated, List.of("attention_score"));
        assertEquals(TEXTS, turned.pairs());
        assertTrue(Arrays.stream(turned.table().measures().getFirst().p()).anyMatch(p -> p < 1));
        assertArrayEquals(new double[CELLS], turned.table().measures().getFirst().difference(), 1e-7);
        Path some = spectra("some", 1, "another file", List.of("a", "b", "3", "4", "5", "6", "7", "8", "9"));
        assertEquals(2, Comparison.of(one, some, List.of()).pairs());
    }

    @Test
    void otherTextsAreNotTested() {
        Comparison found = Comparison.of(spectra("one", 1, "one file", List.of()), spectra("other", 2, "another file", List.of()), List.of());
        assertEquals("the texts come from different files and have no unique ids by which to pair them", found.untested());
        assertTrue(Arrays.stream(found.table().measures().getFirst().p()).allMatch(Double::isNaN));
        assertTrue(Arrays.stream(found.table().measures().getFirst().difference()).noneMatch(Double::isNaN));
    }

    @Test
    void everyAnalysisCanBeCompared() {
        Path gates = folder.resolve("gates");
        SampleRuns.commit(gates, SampleRuns.gates()::write);
        assertEquals(List.of("Math, interference (Always)", "Math, interference (Any)", "Syntax_2, interference (Always)",
                        "Syntax_2, interference (Any)", "Contrast, contrast (Always)", "Contrast, contrast (Any)"),
                Comparison.of(gates, gates, List.of()).table().measures().stream().map(ComparisonTable.Measure::name).toList());
        Path functions = folder.resolve("functions");
        SampleRuns.commit(functions, SampleRuns.functions(FunctionsResult.Shown.ABSOLUTE, false, false)::write);
        assertEquals("the runs contain no values of single texts", Comparison.of(functions, functions, List.of()).untested());
        Path saliency = folder.resolve("saliency");
        SampleRuns.commit(saliency, SampleRuns.saliency(SaliencyCell.MEAN, false)::write);
        assertEquals("mean", Comparison.of(saliency, saliency, List.of()).table().measures().getFirst().name());
        assertEquals("two runs of the same analysis can be compared, but %s is gates and %s is functions".formatted(gates, functions),
                assertThrows(InputException.class, () -> Comparison.of(gates, functions, List.of())).getMessage());
        assertEquals(saliency + " contains no \"beauty\"; it contains \"maximum\", \"mean\", \"aggregate_share\", \"gather_share\","
                        + " \"gate_gradient\"",
                assertThrows(InputException.class, () -> Comparison.of(saliency, saliency, List.of("beauty"))).getMessage());
    }

    /** Means of different numbers of eigenvalues differ, whatever the models do. */
    @Test
    void measuresWithDifferentDefinitionsAreNotCompared() {
        Path two = spectra("two", 1, "same", List.of());
        Path three = spectra("three", 1, "same", List.of(), 3);
        assertEquals(("\"laplacian\" is a mean of 2 eigenvalues in %s and a mean of 3 eigenvalues in %s: analyse again with the"
                        + " same settings, or name another --measure").formatted(two, three),
                assertThrows(InputException.class, () -> Comparison.of(two, three, List.of())).getMessage());
        assertEquals(TEXTS, Comparison.of(two, three, List.of("attention_score")).pairs());
    }

    @Test
    void aRunWhoseFilesContradictEachOtherIsRejected() throws IOException {
        Path one = spectra("one", 1, "same", List.of());
        Path other = spectra("other", 2, "same", List.of());
        List<String> lines = Files.readAllLines(other.resolve("samples.csv"));
        Files.write(other.resolve("samples.csv"), lines.subList(0, TEXTS - 1));
        assertEquals("%s: samples.csv lists %d texts, values.safetensors holds %d".formatted(other, TEXTS - 2, TEXTS),
                assertThrows(ResultFormatException.class, () -> Comparison.of(one, other, List.of())).getMessage());
    }

    @Test
    void theTableHasARowPerMeasureAndHead() throws IOException {
        Path one = spectra("one", 1, "same", List.of());
        Path file = folder.resolve("compare.csv");
        Comparison.of(one, one, List.of()).table().write(file);
        List<String> lines = Files.readAllLines(file);
        assertEquals(1 + 2 * CELLS, lines.size());
        assertEquals("measure,layer,head,value1,value2,difference,p,q", lines.getFirst());
        assertTrue(lines.getLast().startsWith("laplacian,2,1,0."), lines.getLast());
        assertTrue(lines.getLast().endsWith(",0.0,1.0,1.0"), lines.getLast());
    }
}
