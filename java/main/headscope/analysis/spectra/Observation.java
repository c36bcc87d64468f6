package headscope.analysis.spectra;

import headscope.analysis.ProgressFile;
import headscope.metric.Metric;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was measured of one text.
 *
 * @param index    of the text in its file, from 0
 * @param tokens   T
 * @param label    1 for a wrong answer, or the label that the file gives
 * @param answer   the model's answer; empty for a labelled text
 * @param expected the expected answer; empty for a labelled text
 * @param values   one array per metric, in the order of the request: [layers, heads, values per head]
 */
record Observation(int index, int tokens, int label, String answer, String expected, List<float[]> values) {
    /** The progress file of a text; that of a skipped text has no tensors. */
    static ProgressFile<Optional<Observation>> file(List<Metric> metrics) {
        return new ProgressFile<>(
                observation -> observation.map(text -> text.contents(metrics))
                        .orElse(new ProgressFile.Contents(Map.of(), Map.of(), Map.of())),
                stored -> {
                    if (stored.names().isEmpty()) {
                        return Optional.empty();
                    }
                    Map<String, String> text = stored.metadata();
                    return Optional.of(new Observation(
                            Integer.parseInt(text.get("index")), Integer.parseInt(text.get("tokens")),
                            Integer.parseInt(text.get("label")), text.get("answer"), text.get("expected"),
                            metrics.stream().map(metric -> stored.get(metric.key()).floats()).toList()));
                });
    }

    private ProgressFile.Contents contents(List<Metric> metrics) {
        Map<String, float[]> tensors = new HashMap<>();
        for (int m = 0; m < metrics.size(); m++) {
            tensors.put(metrics.get(m).key(), values.get(m));
        }
        return new ProgressFile.Contents(Map.of(
                "index", Integer.toString(index), "tokens", Integer.toString(tokens),
                "label", Integer.toString(label), "answer", answer, "expected", expected), tensors, Map.of());
    }
}
