package headscope.result;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A result that is read from its run folder equals the one that was written, in every field. */
class ResultRoundTripTest {
    @TempDir
    private Path folder;

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("run"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void spectra(boolean markSignificant) throws IOException {
        Path out = folder.resolve("run");
        SpectraResult written = SampleRuns.spectra(markSignificant);
        SampleRuns.commit(out, written::write);
        assertEquals(markSignificant
                ? List.of("heads.csv", "layers.csv", "manifest.json", "samples.csv")
                : List.of("heads.csv", "manifest.json", "samples.csv"), files());
        SpectraResult read = SpectraResult.read(out);
        RecordEquality.assertSame(written, read);
        assertEquals(markSignificant, read.view().marked());
    }

    /** A folder of an earlier version has neither the AUROC nor what its figure draws. */
    @Test
    void spectraOfAnEarlierVersion() throws IOException {
        Path out = folder.resolve("run");
        SpectraResult written = SampleRuns.spectra(true);
        SampleRuns.commit(out, written::write);
        Path heads = out.resolve("heads.csv");
        Files.write(heads, Files.readAllLines(heads).stream().map(line -> line.replaceAll("(,[^,]+){2}$", "")).toList());
        Path manifest = out.resolve("manifest.json");
        Files.writeString(manifest, Files.readString(manifest)
                .replaceAll("(?s)  \"drawn\" : .*?\\],\n", "").replaceAll("  \"(shown|mark_threshold)\" : [^\n]+\n", "")
                .replaceAll(",\\s*}", "}"));
        SpectraResult read = SpectraResult.read(out);
        assertEquals(new SpectraView(List.of("attention_score", "laplacian"), SpectraView.Shown.P, true, 0.05), read.view());
        TestedHeads tested = read.tested().get("laplacian");
        for (int head = 0; head < tested.p().length; head++) {
            assertEquals((written.tested().get("laplacian").effect()[head] + 1) / 2, tested.auroc()[head]);
        }
    }

    @Test
    void spectraValues() {
        Path out = folder.resolve("run");
        SpectraValues written = SampleRuns.spectraValues();
        SampleRuns.commit(out, run -> {
            SampleRuns.spectra(false).write(run);
            written.write(run);
        });
        RecordEquality.assertSame(written, SpectraValues.read(out));
    }

    @ParameterizedTest
    @EnumSource(SaliencyCell.class)
    void saliencyOfOneText(SaliencyCell cell) throws IOException {
        Path out = folder.resolve("run");
        boolean transpose = cell == SaliencyCell.MAX;
        SaliencyResult written = SampleRuns.saliency(cell, transpose);
        SampleRuns.commit(out, written::write);
        assertEquals(List.of("heads.csv", "manifest.json", "tokens.csv", "values.safetensors"), files());
        SaliencyResult read = SaliencyResult.read(out);
        RecordEquality.assertSame(written, read);
        assertEquals(cell, read.cell());
        assertEquals(transpose, read.transpose());
        assertEquals("saliency", read.unit());
        assertEquals(1, read.enlargedLayer());
        assertEquals(0, read.enlargedHead());
    }

    /** Thumbnails and sums are absent, blocks and ablated surprisals are present. */
    @Test
    void saliencyOfTextsWithGroups() {
        Path out = folder.resolve("run");
        SaliencyResult written = SampleRuns.saliencyOfGroups();
        SampleRuns.commit(out, written::write);
        RecordEquality.assertSame(written, SaliencyResult.read(out));
    }

    @ParameterizedTest
    @CsvSource({"ABSOLUTE,true,false", "POSITIVE,false,true"})
    void functions(FunctionsResult.Shown shown, boolean ablated, boolean top) throws IOException {
        Path out = folder.resolve("run");
        FunctionsResult written = SampleRuns.functions(shown, ablated, top);
        SampleRuns.commit(out, written::write);
        assertEquals(ablated, files().contains("masking.csv"));
        FunctionsResult read = FunctionsResult.read(out);
        RecordEquality.assertSame(written, read);
        assertEquals(List.copyOf(written.importance().keySet()), List.copyOf(read.importance().keySet()));
        assertEquals(shown, read.shown());
        assertEquals(top ? OptionalDouble.of(0.75) : OptionalDouble.empty(), read.top());
    }

    @Test
    void gatesOfTasksAndAContrast() throws IOException {
        Path out = folder.resolve("run");
        GatesResult written = SampleRuns.gates();
        SampleRuns.commit(out, written::write);
        assertEquals(List.of("check.csv", "heads.csv", "manifest.json", "values.safetensors"), files());
        GatesResult read = GatesResult.read(out);
        RecordEquality.assertSame(written, read);
        assertEquals(List.of(GateScore.INTERFERENCE, GateScore.INTERFERENCE, GateScore.CONTRAST),
                read.tasks().stream().map(read::shown).toList());
        assertEquals("Caption of the check.", read.checkCaption());
    }

    @Test
    void gatesOfAContrast() throws IOException {
        Path out = folder.resolve("run");
        GatesResult written = SampleRuns.gatesOfContrast();
        SampleRuns.commit(out, written::write);
        assertEquals(List.of("heads.csv", "manifest.json", "values.safetensors"), files());
        RecordEquality.assertSame(written, GatesResult.read(out));
    }
}
