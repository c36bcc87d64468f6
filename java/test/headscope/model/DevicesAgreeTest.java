package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.Tolerance;
import headscope.backend.Devices;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Metrics of a few texts of the demo, on every device. */
class DevicesAgreeTest {
    private static final Path MODEL = Path.of("models/demo");
    private static final int TEXTS = 2;

    @Test
    void metricsOfTheDemoAgree() throws IOException {
        List<int[]> texts = texts();
        List<double[]> expected = measure("cpu", texts);
        for (String device : Devices.ALL) {
            List<double[]> actual = measure(device, texts);
            for (int i = 0; i < expected.size(); i++) {
                for (int j = 0; j < expected.get(i).length; j++) {
                    assertEquals(expected.get(i)[j], actual.get(i)[j],
                            Tolerance.PROBABILITY * Math.max(1, Math.abs(expected.get(i)[j])),
                            device + ", head " + i + ", value " + j);
                }
            }
        }
    }

    private static List<int[]> texts() throws IOException {
        List<int[]> texts = new ArrayList<>();
        try (Tokenizer tokenizer = Tokenizer.open(MODEL)) {
            for (String line : Files.readAllLines(Path.of("data/qa.jsonl")).subList(0, TEXTS)) {
                texts.add(tokenizer.encode(new ObjectMapper().readTree(line).get("prompt").textValue()));
            }
        }
        return texts;
    }

    /** Attention score and ten Laplacian eigenvalues of every head of every text. */
    private static List<double[]> measure(String device, List<int[]> texts) {
        List<Metric> metrics = List.of(new Metric.AttentionScore(), new Metric.LaplacianEigenvalues(10));
        List<double[]> values = new ArrayList<>();
        try (LoadedModel loaded = LoadedModel.open(Devices.open(device), MODEL);
                Sequence sequence = loaded.model().sequence(128)) {
            Transformer model = loaded.model();
            for (int[] ids : texts) {
                sequence.clear();
                model.forward(sequence, ids, LayerHook.NONE);
                for (int layer = 0; layer < model.config().layers(); layer++) {
                    LayerResult measured = loaded.backend().measure(
                            metrics, sequence.statistics(layer), model.attentionSpec(layer)).getFirst();
                    metrics.forEach(metric -> values.addAll(List.of(measured.of(metric))));
                }
            }
        }
        return values;
    }
}
