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
        assertEquals(List.of("heads.csv", "manifest.json", "samples.csv"), files());
        SpectraResult read = SpectraResult.read(out);
        RecordEquality.assertSame(written, read);
        assertEquals(markSignificant, read.markSignificant());
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
