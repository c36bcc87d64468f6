package headscope.analysis.spectra;

import headscope.analysis.ProgressFile;
import headscope.metric.Metric;
import java.util.Arrays;
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
 * @param ids      of the tokens that the model has read; empty unless values of tokens are stored
 * @param perToken one array per value of a token, in the order of the request: [tokens, chosen heads]
 */
record Observation(
        int index, int tokens, int label, String answer, String expected, List<float[]> values, int[] ids,
        List<float[]> perToken) {
    private static final String IDS = "token_ids";
    private static final String OF_TOKENS = "token_";

    /** The progress file of a text; that of a skipped text has no tensors. */
    static ProgressFile<Optional<Observation>> file(SpectraRequest request) {
        List<Metric> metrics = request.metrics();
        return new ProgressFile<>(
                observation -> observation.map(text -> text.contents(request))
                        .orElse(new ProgressFile.Contents(Map.of(), Map.of(), Map.of())),
                stored -> {
                    if (stored.names().isEmpty()) {
                        return Optional.empty();
                    }
                    Map<String, String> text = stored.metadata();
                    return Optional.of(new Observation(
                            Integer.parseInt(text.get("index")), Integer.parseInt(text.get("tokens")),
                            Integer.parseInt(text.get("label")), text.get("answer"), text.get("expected"),
                            metrics.stream().map(metric -> stored.get(metric.key()).floats()).toList(),
                            stored.has(IDS)
                                    ? Arrays.stream(stored.get(IDS).longs()).mapToInt(Math::toIntExact).toArray()
                                    : new int[0],
                            request.perToken().values().stream()
                                    .map(value -> stored.get(OF_TOKENS + value.key()).floats()).toList()));
                });
    }

    /** Without the values of tokens, of which texts have many. */
    Observation withoutTokens() {
        return new Observation(index, tokens, label, answer, expected, values, ids, List.of());
    }

    private ProgressFile.Contents contents(SpectraRequest request) {
        List<Metric> metrics = request.metrics();
        Map<String, float[]> tensors = new HashMap<>();
        for (int m = 0; m < metrics.size(); m++) {
            tensors.put(metrics.get(m).key(), values.get(m));
        }
        for (int value = 0; value < perToken.size(); value++) {
            tensors.put(OF_TOKENS + request.perToken().values().get(value).key(), perToken.get(value));
        }
        return new ProgressFile.Contents(Map.of(
                "index", Integer.toString(index), "tokens", Integer.toString(tokens),
                "label", Integer.toString(label), "answer", answer, "expected", expected), tensors,
                ids.length == 0 ? Map.of() : Map.of(IDS, Arrays.stream(ids).asLongStream().toArray()));
    }
}
