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
 * Compares tiny checkpoints of every family with the results of transformers and PyTorch in fp32, see
 * {@link Fixtures#folders}.
 */
class FixtureParityTest {
    static Stream<Arguments> fixturesOnDevices() {
        return Devices.ALL.stream()
                .flatMap(device -> Fixtures.folders().stream().map(folder -> Arguments.of(device, folder)));
    }

    @ParameterizedTest
    @MethodSource("fixturesOnDevices")
    void matchesTransformers(String device, Path folder) {
        try (LoadedModel loaded = LoadedModel.open(Devices.open(device), folder);
                Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"));
                Sequence sequence = loaded.model().sequence(64)) {
            Transformer model = loaded.model();
            Backend backend = loaded.backend();
            ModelConfig config = model.config();
            int[] ids = Fixtures.ids(expected, "input_ids");
            Tensor map = backend.allocate(DType.F32, ids.length, ids.length);

            Tensor hidden = model.forward(sequence, ids, new LayerHook() {
                @Override
                public void attention(int layer, Attention attention) {
                    float[] maps = expected.get("attention." + layer).floats();
                    for (int head = 0; head < config.heads(); head++) {
                        backend.attentionMap(map, attention.query(), attention.key(), attention.spec(), head);
                        float[] one = Arrays.copyOfRange(
                                maps, head * ids.length * ids.length, (head + 1) * ids.length * ids.length);
                        assertArrayEquals(one, backend.download(map), Tolerance.PROBABILITY,
                                "attention of layer " + layer + ", head " + head);
                    }
                }
            });

            float[] logits = expected.get("logits").floats();
            assertArrayEquals(logits, backend.download(model.logits(hidden)), Tolerance.fp32(logits), "logits");
            float[] scores = expected.get("attention_score").floats();
            Metric score = new Metric.AttentionScore();
            for (int layer = 0; layer < config.layers(); layer++) {
                double[][] measured = backend.measure(
                        List.of(score), sequence.statistics(layer), model.attentionSpec(layer)).getFirst().of(score);
                for (int head = 0; head < config.heads(); head++) {
                    assertEquals(scores[layer * config.heads() + head], measured[head][0],
                            Tolerance.fp32(scores), "attention score of layer " + layer + ", head " + head);
                }
            }
            if (config.causal()) {
                compareLaplacian(expected, model, sequence, ids.length);
                assertArrayEquals(Fixtures.ids(expected, "greedy"), greedy(model, ids, 8), "greedy continuation");
            }
            map.buffer().close();
        }
    }

    private static void compareLaplacian(Safetensors expected, Transformer model, Sequence sequence, int tokens) {
        float[] laplacian = expected.get("laplacian").floats();
        int heads = model.config().heads();
        Metric eigenvalues = new Metric.LaplacianEigenvalues(Metric.ALL);
        for (int layer = 0; layer < model.config().layers(); layer++) {
            double[][] measured = model.backend().measure(
                    List.of(eigenvalues), sequence.statistics(layer), model.attentionSpec(layer)).getFirst().of(eigenvalues);
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
        try (Sequence sequence = model.sequence(ids.length + count)) {
            int[] next = ids;
            for (int i = 0; i < count; i++) {
                Tensor hidden = model.forward(sequence, next, LayerHook.NONE);
                float[] logits = model.backend().download(model.logits(hidden.rows(next.length - 1, 1)));
                int best = 0;
                for (int id = 1; id < logits.length; id++) {
                    best = logits[id] > logits[best] ? id : best;
                }
                tokens[i] = best;
                next = new int[] {best};
            }
        }
        return tokens;
    }
}
