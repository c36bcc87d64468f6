package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Tolerance;
import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.tensor.DType;
import headscope.tensor.Safetensors;
import headscope.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The backward pass over tiny checkpoints of every causal family against PyTorch's, see {@link Fixtures#folders}. */
class GradientFixtureParityTest {
    static Stream<Arguments> causalFixturesOnDevices() {
        return Devices.ALL.stream()
                .flatMap(device -> Fixtures.causal().stream().map(folder -> Arguments.of(device, folder)));
    }

    /** What a backward pass shows of one text. */
    private static final class Seen implements GradientHook {
        private final Backend backend;
        private final ModelConfig config;
        private final int tokens;
        final float[] gates;
        final float[][] maps;
        final float[][] signed;

        Seen(Transformer model, int tokens) {
            this.backend = model.backend();
            this.config = model.config();
            this.tokens = tokens;
            this.gates = new float[config.layers() * config.heads()];
            this.maps = new float[config.layers()][];
            this.signed = new float[config.layers()][];
        }

        @Override
        public Optional<AttentionSaliency.Request> saliency(int layer, int text) {
            List<Integer> all = IntStream.range(0, config.heads()).boxed().toList();
            return Optional.of(new AttentionSaliency.Request(new int[tokens], 0, all));
        }

        @Override
        public void attention(int layer, int text, AttentionSpec spec, AttentionSaliency saliency) {
            maps[layer] = backend.download(saliency.maps);
            signed[layer] = backend.download(saliency.signed);
        }

        @Override
        public void gates(int layer, int text, float[] gradient) {
            System.arraycopy(gradient, 0, gates, layer * config.heads(), config.heads());
        }
    }

    @ParameterizedTest
    @MethodSource("causalFixturesOnDevices")
    void passesBackWhatTheOriginalLibraryPassesBack(String device, Path folder) {
        try (Backend backend = Devices.open(device);
                Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
            try (Checkpoint checkpoint = Checkpoint.open(folder);
                    Transformer model = new Transformer(checkpoint, backend)) {
                compare(expected, model);
            }
            assertEquals(0, backend.liveBytes());
        }
    }

    /** Gradients of rounded weights, keys and values, next to those of fp32. */
    @ParameterizedTest
    @MethodSource("headscope.model.Fixtures#causal")
    void passesBackNearlyTheSameIn16Bits(Path folder) {
        try (Backend backend = Devices.emulated(DType.F16);
                Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
            try (Checkpoint checkpoint = Checkpoint.open(folder);
                    Transformer model = new Transformer(checkpoint, backend)) {
                Seen seen = new Seen(model, Fixtures.ids(expected, "input_ids").length);
                float[] wantedLoss = expected.get("loss").floats();
                assertArrayEquals(wantedLoss, loss(expected, model, seen), Tolerance.model(DType.F16, wantedLoss), "loss");
                float[] gates = expected.get("gate_grad").floats();
                assertArrayEquals(gates, seen.gates, Tolerance.model(DType.F16, gates), "gradient of the gates");
            }
            assertEquals(0, backend.liveBytes());
        }
    }

    private static float[] loss(Safetensors expected, Transformer model, Seen seen) {
        int[] ids = Fixtures.ids(expected, "input_ids");
        int[] last = {ids.length - 1};
        try (Tape tape = model.forward(new Batch(List.of(ids)), Optional.empty(), LayerHook.NONE)) {
            Tensor logits = model.logits(tape, last);
            float[] loss = model.backend().gradients()
                    .crossEntropy(logits, Fixtures.ids(expected, "target"), new float[] {1});
            model.backward(tape, last, logits, seen);
            return loss;
        }
    }

    private static void compare(Safetensors expected, Transformer model) {
        int[] ids = Fixtures.ids(expected, "input_ids");
        Seen seen = new Seen(model, ids.length);
        float[] wantedLoss = expected.get("loss").floats();
        assertArrayEquals(wantedLoss, loss(expected, model, seen), Tolerance.fp32(wantedLoss), "loss");
        float[] gates = expected.get("gate_grad").floats();
        assertArrayEquals(gates, seen.gates, Tolerance.gradient(gates), "gradient of the gates");
        for (int layer = 0; layer < model.config().layers(); layer++) {
            float[] signed = products(expected, layer);
            for (int row = 0; row < seen.signed[layer].length; row++) {
                double sum = 0;
                for (int column = 0; column < ids.length; column++) {
                    sum += signed[row * ids.length + column];
                }
                assertEquals(sum, seen.signed[layer][row], Tolerance.gradient(signed),
                        "layer %d, row %d of all heads'".formatted(layer, row));
            }
            float[] saliency = signed.clone();
            for (int i = 0; i < saliency.length; i++) {
                saliency[i] = Math.abs(saliency[i]);
            }
            assertArrayEquals(
                    saliency, seen.maps[layer], Tolerance.gradient(saliency), "saliency maps of layer " + layer);
        }
    }

    /** a_ij dL/da_ij of a layer: [heads, tokens, tokens]. */
    private static float[] products(Safetensors expected, int layer) {
        float[] probs = expected.get("attention." + layer).floats();
        float[] gradient = expected.get("attention_grad." + layer).floats();
        for (int i = 0; i < probs.length; i++) {
            probs[i] *= gradient[i];
        }
        return probs;
    }
}
