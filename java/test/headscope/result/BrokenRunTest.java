package headscope.result;

import static org.junit.jupiter.params.provider.Arguments.arguments;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A run folder with a missing or malformed file is rejected with one line that names the file. */
class BrokenRunTest {
    @TempDir
    private Path folder;

    /** How to write and read the runs of an analysis. */
    private enum Analysis {
        SPECTRA(SampleRuns.spectra(true)::write, SpectraResult::read),
        VALUES(run -> {
            SampleRuns.spectra(true).write(run);
            SampleRuns.spectraValues().write(run);
        }, SpectraValues::read),
        SALIENCY(SampleRuns.saliency(SaliencyCell.THUMBNAIL, false)::write, SaliencyResult::read),
        FUNCTIONS(
                SampleRuns.functions(FunctionsResult.Shown.ABSOLUTE, true, false)::write, FunctionsResult::read),
        GATES(SampleRuns.gates()::write, GatesResult::read);

        private final Consumer<RunFolder> write;
        private final Function<Path, Record> read;

        Analysis(Consumer<RunFolder> write, Function<Path, Record> read) {
            this.write = write;
            this.read = read;
        }
    }

    private Path run(Analysis analysis) {
        Path out = folder.resolve("run");
        SampleRuns.commit(out, analysis.write);
        return out;
    }

    private static Class<? extends RuntimeException> exception(String file) {
        return file.endsWith(".safetensors") ? ModelFormatException.class : ResultFormatException.class;
    }

    static Stream<Arguments> required() {
        return Stream.of(
                arguments(Analysis.SPECTRA, "heads.csv"), arguments(Analysis.SPECTRA, "samples.csv"),
                arguments(Analysis.VALUES, "values.safetensors"),
                arguments(Analysis.SALIENCY, "heads.csv"), arguments(Analysis.SALIENCY, "tokens.csv"),
                arguments(Analysis.SALIENCY, "values.safetensors"),
                arguments(Analysis.FUNCTIONS, "heads.csv"), arguments(Analysis.FUNCTIONS, "samples.csv"),
                arguments(Analysis.FUNCTIONS, "confusion.csv"), arguments(Analysis.FUNCTIONS, "values.safetensors"),
                arguments(Analysis.GATES, "heads.csv"), arguments(Analysis.GATES, "check.csv"),
                arguments(Analysis.GATES, "values.safetensors"));
    }

    @ParameterizedTest
    @MethodSource("required")
    void rejectsAMissingFile(Analysis analysis, String file) throws IOException {
        Path run = run(analysis);
        Files.delete(run.resolve(file));
        Rejections.assertRejected(exception(file), run.resolve(file) + ": no such file", () -> analysis.read.apply(run));
    }

    @ParameterizedTest
    @MethodSource("required")
    void rejectsAnEmptyFile(Analysis analysis, String file) throws IOException {
        Path run = run(analysis);
        Files.write(run.resolve(file), new byte[0]);
        String rule = file.endsWith(".safetensors") ? ": header: the file has 0 bytes, fewer than the 8 of the header length" : ": is empty";
        Rejections.assertRejected(exception(file), run.resolve(file) + rule, () -> analysis.read.apply(run));
    }

    @Test
    void rejectsARunWithoutManifest() throws IOException {
        for (Analysis analysis : List.of(Analysis.SPECTRA, Analysis.SALIENCY, Analysis.FUNCTIONS, Analysis.GATES)) {
            Path run = folder.resolve(analysis.name());
            SampleRuns.commit(run, analysis.write);
            Files.delete(run.resolve("manifest.json"));
            Rejections.assertRejected(ResultFormatException.class,
                    run + ": contains no manifest.json; give the folder of a finished run", () -> analysis.read.apply(run));
        }
    }

    static Stream<Arguments> malformed() {
        String heads = "layer,head,x\n0,0,1\n";
        return Stream.of(
                arguments(Analysis.SPECTRA, "heads.csv", heads, ":1: has no column of p-values, such as attention_score_p"),
                arguments(Analysis.SALIENCY, "heads.csv", heads, ":1: no column \"maximum\"; the columns are [x]"),
                arguments(Analysis.GATES, "heads.csv", heads,
                        ":1: no column \"Math_facilitation_always\"; the columns are [x]"),
                arguments(Analysis.FUNCTIONS, "heads.csv", "layer,head\n0,0\n", ":1: contains no function"),
                arguments(Analysis.GATES, "check.csv", "heads,x\n0,1\n", ":1: no column \"Math_shut\"; the columns are [x]"),
                arguments(Analysis.GATES, "check.csv", "heads,x,x\n0,1,1\n", ":1: two columns have the same name"),
                arguments(Analysis.GATES, "check.csv", "heads,x\n1,\n", ":2: column x: \"\" is not a number"),
                arguments(Analysis.GATES, "check.csv", "heads,x\nmany,1\n",
                        ":2: column heads: \"many\" is not a whole number"),
                arguments(Analysis.FUNCTIONS, "confusion.csv", "class,a,b\na,1,2\nb,3,4\n",
                        ":1: the first column must be function"),
                arguments(Analysis.FUNCTIONS, "confusion.csv", "function,a,b\na,1,2\n",
                        ": the classes of the rows must be those of the columns: a,b"),
                arguments(Analysis.FUNCTIONS, "confusion.csv", "function,a\na,1.5\n",
                        ":2: column a: \"1.5\" is not a whole number"),
                arguments(Analysis.FUNCTIONS, "masking.csv", "function,heads\n", ":1: the columns must be "
                        + "function,heads,texts,before,top,random,lowest,other_texts,others_before,others_top"),
                arguments(Analysis.FUNCTIONS, "masking.csv",
                        "function,heads,texts,before,top,random,lowest,other_texts,others_before,others_top\n"
                                + "a,5,12,0.5,0.25,half,0.5,24,0.5,0.5\n",
                        ":2: column random: \"half\" is not a number"),
                arguments(Analysis.FUNCTIONS, "masking.csv",
                        "function,heads,texts,before,top,random,lowest,other_texts,others_before,others_top\n"
                                + "a,5,12,0.5,0.25,0.5,0.5,-1,0.5,0.5\n",
                        ":2: column other_texts: \"-1\" is not a whole number"),
                arguments(Analysis.GATES, "manifest.json", "{}", ": contains no tasks"),
                arguments(Analysis.GATES, "manifest.json", "[]", ": is not a JSON object"),
                arguments(Analysis.GATES, "manifest.json", "{\n!", ": is not JSON (line 2, column 1)"));
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void rejectsAMalformedFile(Analysis analysis, String file, String content, String rule) throws IOException {
        Path run = run(analysis);
        Files.writeString(run.resolve(file), content);
        Rejections.assertRejected(
                ResultFormatException.class, run.resolve(file) + rule, () -> analysis.read.apply(run));
    }

    static Stream<Arguments> tensors() {
        return Stream.of(
                arguments(Analysis.SALIENCY, "map"), arguments(Analysis.FUNCTIONS, "logits"));
    }

    @ParameterizedTest
    @MethodSource("tensors")
    void rejectsAMissingTensor(Analysis analysis, String tensor) throws IOException {
        Path run = run(analysis);
        Path file = withOnlyLabels(run);
        Rejections.assertRejected(ModelFormatException.class,
                "%s: tensor \"%s\": no such tensor".formatted(file, tensor), () -> analysis.read.apply(run));
    }

    @Test
    void rejectsValuesWithoutAMetric() throws IOException {
        Path run = run(Analysis.VALUES);
        Path file = withOnlyLabels(run);
        Rejections.assertRejected(ResultFormatException.class, file + ": contains no metric", () -> SpectraValues.read(run));
    }

    private static Path withOnlyLabels(Path run) throws IOException {
        Path file = run.resolve("values.safetensors");
        Files.delete(file);
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, Map.of(), List.of(new Layout("label", DType.I64, 1)))) {
            writer.append("label", new long[] {1});
            writer.commit();
        }
        return file;
    }

    static Stream<Arguments> settings() {
        return Stream.of(
                arguments(Analysis.SALIENCY, "\"layer\"", "head/layer is \"\", not a whole number"),
                arguments(Analysis.SALIENCY, "\"thumbnail\"",
                        "settings/cell is \"other\", not one of [max, mean, thumbnail, share]"));
    }

    /** Both are read when a figure is drawn. */
    @ParameterizedTest
    @MethodSource("settings")
    void rejectsAnUnknownSetting(Analysis analysis, String old, String message) throws IOException {
        Path run = run(analysis);
        Path manifest = run.resolve("manifest.json");
        Files.writeString(manifest, Files.readString(manifest).replace(old, "\"other\""));
        Rejections.assertRejected(ResultFormatException.class, "manifest.json: " + message, () -> {
            SaliencyResult read = SaliencyResult.read(run);
            read.enlargedLayer();
            read.cell();
        });
    }
}
