package headscope.result;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

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
    public record Measured(String metric, OptionalInt perHead, List<float[]> texts) {
        /** The first k values of each head: the largest k of a spectrum. */
        public Measured first(int k) {
            int stored = perHead.orElse(1);
            if (k >= stored) {
                return this;
            }
            return new Measured(metric, OptionalInt.of(k), texts.stream()
                    .map(values -> {
                        float[] first = new float[values.length / stored * k];
                        for (int head = 0; head < values.length / stored; head++) {
                            System.arraycopy(values, head * stored, first, head * k, k);
                        }
                        return first;
                    })
                    .toList());
        }
    }

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

    /** The metric with this name. */
    public Optional<Measured> find(String metric) {
        return measured.stream().filter(one -> one.metric().equals(metric)).findFirst();
    }

    /** Some of the texts, with other labels. */
    public SpectraValues select(int[] texts, long[] labels) {
        List<Measured> selected = measured.stream()
                .map(one -> new Measured(one.metric(), one.perHead(),
                        IntStream.of(texts).mapToObj(one.texts()::get).toList()))
                .toList();
        return new SpectraValues(layers, heads, selected, labels);
    }

    /**
     * @throws ModelFormatException  if the file is missing or malformed
     * @throws ResultFormatException if it contains no metric, or tensors of other shapes
     */
    public static SpectraValues read(Path folder) {
        try (Safetensors file = Safetensors.open(folder.resolve(ValuesFile.FILE))) {
            List<Measured> measured = new ArrayList<>();
            long[] shape = {};
            for (String name : file.names()) {
                if (!name.equals(LABEL)) {
                    long[] own = file.get(name).shape();
                    if (own.length < 3 || own.length > 4
                            || !measured.isEmpty() && !Arrays.equals(shape, 0, 3, own, 0, 3)) {
                        throw new ResultFormatException(folder.resolve(ValuesFile.FILE),
                                "tensor %s has the shape %s, not [texts, layers, heads] or [texts, layers, heads, k] of all metrics"
                                        .formatted(Printable.quote(name), Arrays.toString(own)));
                    }
                    shape = own;
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
