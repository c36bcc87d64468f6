package headscope.result;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.SequencedMap;

/**
 * The run folder of a functions analysis: {@code manifest.json}, {@code heads.csv}, {@code samples.csv},
 * {@code confusion.csv}, {@code values.safetensors}, and {@code masking.csv} if heads were ablated.
 *
 * @param importance signed importance [layers, heads] of each head, by function
 */
public record FunctionsResult(
        Manifest manifest, int layers, int heads, SequencedMap<String, double[]> importance, SampleTable samples,
        ConfusionTable confusion, Optional<MaskingTable> masking, Predictions predictions) {
    /** {@link Manifest#analysis} of the run. */
    public static final String ANALYSIS = "functions";

    /** Manifest key: which part of the importance the figure shows, a {@link Shown}. */
    public static final String SHOWN = "shown";

    /** Manifest key: the upper end of the colour scale; absent if it is chosen from the values. */
    public static final String TOP = "top";

    private static final String IMPORTANCE = "importance";
    private static final String LOGITS = "logits";
    private static final String INDEX = "index";
    private static final String FUNCTION = "function";

    /** Which part of a signed importance is shown. */
    public enum Shown {
        /** Its absolute value. */
        ABSOLUTE,
        /** Positive values; negative ones are shown as 0. */
        POSITIVE
    }

    /**
     * What the probe predicts for the test texts.
     *
     * @param logits   [test texts, functions]
     * @param index    of each test text in the file, from 0
     * @param function of each test text, its index among the functions
     */
    public record Predictions(float[] logits, long[] index, long[] function) {}

    /** @throws RunFolderException if a file cannot be written */
    public void write(RunFolder folder) {
        new HeadTable(layers, heads, importance).write(folder.file(HeadTable.FILE));
        samples.write(folder.file(SampleTable.FILE));
        confusion.write(folder.file(ConfusionTable.FILE));
        masking.ifPresent(table -> table.write(folder.file(MaskingTable.FILE)));
        int texts = predictions.index().length;
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.file(ValuesFile.FILE), Map.of(), List.of(
                new Layout(IMPORTANCE, DType.F32, importance.size(), layers, heads),
                new Layout(LOGITS, DType.F32, texts, importance.size()),
                new Layout(INDEX, DType.I64, texts),
                new Layout(FUNCTION, DType.I64, texts)))) {
            importance.values().forEach(values -> writer.append(IMPORTANCE, ValuesFile.floats(values)));
            writer.append(LOGITS, predictions.logits());
            writer.append(INDEX, predictions.index());
            writer.append(FUNCTION, predictions.function());
            writer.commit();
        }
        manifest.write(folder.file(RunFolder.MANIFEST));
    }

    /**
     * @throws ResultFormatException if a file is missing or malformed
     * @throws ModelFormatException  if that file is {@code values.safetensors}
     */
    public static FunctionsResult read(Path folder) {
        HeadTable table = HeadTable.read(folder.resolve(HeadTable.FILE));
        if (table.names().isEmpty()) {
            throw new ResultFormatException(folder.resolve(HeadTable.FILE), 1, "contains no function");
        }
        SequencedMap<String, double[]> importance = new LinkedHashMap<>();
        table.names().forEach(function -> importance.put(function, table.column(function)));
        Path masking = folder.resolve(MaskingTable.FILE);
        try (Safetensors values = Safetensors.open(folder.resolve(ValuesFile.FILE))) {
            return new FunctionsResult(
                    Manifest.read(folder), table.layers(), table.heads(), importance,
                    SampleTable.read(folder.resolve(SampleTable.FILE)),
                    ConfusionTable.read(folder.resolve(ConfusionTable.FILE)),
                    Files.exists(masking) ? Optional.of(MaskingTable.read(masking)) : Optional.empty(),
                    new Predictions(
                            values.get(LOGITS).floats(), values.get(INDEX).longs(), values.get(FUNCTION).longs()));
        }
    }

    public Shown shown() {
        return manifest.constant("/" + SHOWN, Shown.class);
    }

    /** The upper end of the colour scale, if it was given. */
    public OptionalDouble top() {
        return manifest.json().has(TOP) ? OptionalDouble.of(manifest.json().get(TOP).doubleValue()) : OptionalDouble.empty();
    }
}
