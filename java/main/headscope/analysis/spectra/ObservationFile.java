package headscope.analysis.spectra;

import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** One finished text on disk, so that an interrupted run can go on behind it. Skipped texts leave a file as well. */
final class ObservationFile {
    private ObservationFile() {}

    static void write(Path file, List<Metric> metrics, Optional<Observation> seen) {
        Map<String, String> remarks = seen.map(observation -> Map.of(
                        "index", Integer.toString(observation.index()),
                        "tokens", Integer.toString(observation.tokens()),
                        "label", Integer.toString(observation.label()),
                        "answer", observation.answer(),
                        "expected", observation.expected()))
                .orElse(Map.of());
        List<float[]> values = seen.map(Observation::values).orElse(List.of());
        List<SafetensorsWriter.Layout> layouts = IntStream.range(0, values.size())
                .mapToObj(m -> new SafetensorsWriter.Layout(metrics.get(m).key(), DType.F32, values.get(m).length))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, remarks, layouts)) {
            for (int m = 0; m < values.size(); m++) {
                writer.append(metrics.get(m).key(), values.get(m));
            }
            writer.commitUnforced();
        }
    }

    /** Empty where there is none, or only part of one. */
    static Optional<Optional<Observation>> read(Path file, List<Metric> metrics) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (Safetensors stored = Safetensors.open(file)) {
            Map<String, String> remarks = stored.metadata();
            if (stored.names().isEmpty()) {
                return Optional.of(Optional.empty());
            }
            return Optional.of(Optional.of(new Observation(
                    Integer.parseInt(remarks.get("index")), Integer.parseInt(remarks.get("tokens")),
                    Integer.parseInt(remarks.get("label")), remarks.get("answer"), remarks.get("expected"),
                    metrics.stream().map(metric -> stored.get(metric.key()).floats()).toList())));
        } catch (ModelFormatException damaged) {
            return Optional.empty();
        }
    }
}
