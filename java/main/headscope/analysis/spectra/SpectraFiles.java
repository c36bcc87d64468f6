package headscope.analysis.spectra;

import headscope.metric.Metric;
import headscope.model.ModelConfig;
import headscope.result.HeadTable;
import headscope.result.RunFolder;
import headscope.result.SampleTable;
import headscope.tensor.DType;
import headscope.tensor.SafetensorsWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** A spectra run's tables and values. */
final class SpectraFiles {
    private SpectraFiles() {}

    static void write(
            RunFolder folder, SpectraRequest request, ModelConfig config, List<Observation> observations,
            SpectraTests tests) {
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        addColumns(columns, "attention_score", tests.attentionScore());
        addColumns(columns, "laplacian", tests.laplacian());
        addMeans(columns, "attention_score", tests.attentionScore());
        addMeans(columns, "laplacian", tests.laplacian());
        new HeadTable(config.layers(), config.heads(), columns).write(folder.file("heads.csv"));
        new SampleTable(observations.stream()
                .map(seen -> new SampleTable.Sample(
                        seen.index(), seen.tokens(), Integer.toString(seen.label()), seen.answer(), seen.expected()))
                .toList())
                .write(folder.file("samples.csv"));
        writeValues(folder, request, config, observations);
    }

    private static void addColumns(SequencedMap<String, double[]> columns, String metric, HeadTests tests) {
        columns.put(metric + "_p", tests.p());
        columns.put(metric + "_q", tests.q());
        columns.put(metric + "_effect", tests.effect());
    }

    private static void addMeans(SequencedMap<String, double[]> columns, String metric, HeadTests tests) {
        columns.put(metric + "_mean_0", tests.mean0());
        columns.put(metric + "_mean_1", tests.mean1());
    }

    /** [samples, layers, heads], and for several values per head [samples, layers, heads, k]. */
    private static void writeValues(
            RunFolder folder, SpectraRequest request, ModelConfig config, List<Observation> observations) {
        List<SafetensorsWriter.Layout> layouts = new ArrayList<>();
        for (Metric metric : request.metrics()) {
            layouts.add(metric instanceof Metric.Spectrum
                    ? new SafetensorsWriter.Layout(metric.key(), DType.F32,
                            observations.size(), config.layers(), config.heads(), request.k())
                    : new SafetensorsWriter.Layout(metric.key(), DType.F32,
                            observations.size(), config.layers(), config.heads()));
        }
        layouts.add(new SafetensorsWriter.Layout("label", DType.I64, observations.size()));
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(folder.file("values.safetensors"), Map.of(), layouts)) {
            for (Observation seen : observations) {
                for (int m = 0; m < request.metrics().size(); m++) {
                    writer.append(request.metrics().get(m).key(), seen.values().get(m));
                }
                writer.append("label", (long) seen.label());
            }
            writer.commit();
        }
    }
}
