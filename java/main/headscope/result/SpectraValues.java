package headscope.result;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Every value that a spectra analysis has measured: its {@code values.safetensors}.
 *
 * @param labels one per text
 */
public record SpectraValues(int layers, int heads, List<Measured> measured, long[] labels) {
    private static final String LABEL = "label";

    /**
     * One metric.
     *
     * @param metric  name of the tensor, the key of the metric
     * @param perHead number of values per head of a metric that has several
     * @param texts   one array per text: [layers, heads] or [layers, heads, perHead]
     */
    public record Measured(String metric, OptionalInt perHead, List<float[]> texts) {}

    /** @throws RunFolderException if the file cannot be written */
    public void write(RunFolder folder) {
        List<Layout> layouts = new ArrayList<>();
        for (Measured one : measured) {
            layouts.add(one.perHead().isPresent()
                    ? new Layout(one.metric(), DType.F32, labels.length, layers, heads, one.perHead().getAsInt())
                    : new Layout(one.metric(), DType.F32, labels.length, layers, heads));
        }
        layouts.add(new Layout(LABEL, DType.I64, labels.length));
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.file(ValuesFile.FILE), Map.of(), layouts)) {
            measured.forEach(one -> one.texts().forEach(values -> writer.append(one.metric(), values)));
            writer.append(LABEL, labels);
            writer.commit();
        }
    }

    /**
     * @throws ModelFormatException  if the file is missing or malformed
     * @throws ResultFormatException if it contains no metric
     */
    public static SpectraValues read(Path folder) {
        try (Safetensors file = Safetensors.open(folder.resolve(ValuesFile.FILE))) {
            List<Measured> measured = new ArrayList<>();
            long[] shape = {};
            for (String name : file.names()) {
                if (!name.equals(LABEL)) {
                    shape = file.get(name).shape();
                    measured.add(new Measured(name, shape.length > 3
                            ? OptionalInt.of(Math.toIntExact(shape[3])) : OptionalInt.empty(),
                            ValuesFile.slices(file.get(name))));
                }
            }
            if (measured.isEmpty()) {
                throw new ResultFormatException(folder.resolve(ValuesFile.FILE), "contains no metric");
            }
            int[] sizes = Arrays.stream(shape).mapToInt(Math::toIntExact).toArray();
            return new SpectraValues(sizes[1], sizes[2], measured, file.get(LABEL).longs());
        }
    }
}
