package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Tolerance;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Safetensors;
import headscope.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Tiny checkpoints of every family against what transformers and PyTorch computed from them in fp32, see
 * {@link Fixtures#folders}.
 */
class FixtureParityTest {
    static Stream<Arguments> fixturesOnDevices() {
        return Devices.ALL.stream()
                .flatMap(device -> Fixtures.folders().stream().map(folder -> Arguments.of(device, folder)));
    }

    @ParameterizedTest
    @MethodSource("fixturesOnDevices")
    void computesWhatTheOriginalLibraryComputes(String device, Path folder) {
        try (Backend backend = Devices.open(device);
                Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"));
                Checkpoint checkpoint = Checkpoint.open(folder);
                Transformer model = new Transformer(checkpoint, backend);
                Sequence text = model.sequence(64)) {
            ModelConfig config = model.config();
            int[] ids = Fixtures.ids(expected, "input_ids");
            Tensor map = backend.allocate(DType.F32, ids.length, ids.length);

            Tensor hidden = model.forward(text, ids, (layer, spec, q, k, statistics) -> {
                float[] maps = expected.get("attention." + layer).floats();
                for (int head = 0; head < config.heads(); head++) {
                    backend.attentionMap(map, q, k, spec, head);
                    float[] wanted = Arrays.copyOfRange(
                            maps, head * ids.length * ids.length, (head + 1) * ids.length * ids.length);
                    assertArrayEquals(wanted, backend.download(map), Tolerance.PROBABILITY,
                            "attention of layer " + layer + ", head " + head);
                }
            });

            float[] logits = expected.get("logits").floats();
            assertArrayEquals(logits, backend.download(model.logits(hidden)), Tolerance.fp32(logits), "logits");
            float[] scores = expected.get("attention_score").floats();
            Metric score = new Metric.AttentionScore();
            for (int layer = 0; layer < config.layers(); layer++) {
                double[][] measured = backend.measure(
                        List.of(score), text.statistics(layer), model.attentionSpec(layer)).of(score);
                for (int head = 0; head < config.heads(); head++) {
                    assertEquals(scores[layer * config.heads() + head], measured[head][0],
                            Tolerance.fp32(scores), "attention score of layer " + layer + ", head " + head);
                }
            }
            if (config.causal()) {
                compareLaplacian(expected, model, text, ids.length);
                assertArrayEquals(Fixtures.ids(expected, "greedy"), greedy(model, ids, 8), "greedy continuation");
            }
            map.buffer().close();
        }
    }

    private static void compareLaplacian(Safetensors expected, Transformer model, Sequence text, int tokens) {
        float[] laplacian = expected.get("laplacian").floats();
        int heads = model.config().heads();
        Metric eigenvalues = new Metric.LaplacianEigenvalues(Metric.ALL);
        for (int layer = 0; layer < model.config().layers(); layer++) {
            double[][] measured = model.backend().measure(
                    List.of(eigenvalues), text.statistics(layer), model.attentionSpec(layer)).of(eigenvalues);
            for (int head = 0; head < heads; head++) {
                for (int i = 0; i < tokens; i++) {
                    assertEquals(laplacian[(layer * heads + head) * tokens + i], measured[head][i],
                            Tolerance.PROBABILITY, "eigenvalue %d of layer %d, head %d".formatted(i, layer, head));
                }
            }
        }
    }

    private static int[] greedy(Transformer model, int[] ids, int count) {
        int[] tokens = new int[count];
        try (Sequence text = model.sequence(ids.length + count)) {
            int[] next = ids;
            for (int i = 0; i < count; i++) {
                Tensor hidden = model.forward(text, next, LayerHook.NONE);
                float[] logits = model.backend().download(model.logits(hidden.rows(next.length - 1, 1)));
                int best = 0;
                for (int word = 1; word < logits.length; word++) {
                    best = logits[word] > logits[best] ? word : best;
                }
                tokens[i] = best;
                next = new int[] {best};
            }
        }
        return tokens;
    }
}
