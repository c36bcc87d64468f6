package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

/** Compares the backward pass of tiny checkpoints of every causal family with PyTorch, see {@link Fixtures#folders}. */
class GradientFixtureParityTest {
    static Stream<Arguments> causalFixturesOnDevices() {
        return Devices.ALL.stream()
                .flatMap(device -> Fixtures.causal().stream().map(folder -> Arguments.of(device, folder)));
    }

    /** Records the backward pass of one text. */
    private static final class Recorder implements GradientHook {
        private final Backend backend;
        private final ModelConfig config;
        private final int tokens;
        final float[] gates;
        final float[][] maps;
        final float[][] signed;

        Recorder(Transformer model, int tokens) {
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
            return Optional.of(new AttentionSaliency.Request(new int[tokens], 0, 0, all));
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
    void matchesPyTorch(String device, Path folder) {
        try (LoadedModel loaded = LoadedModel.open(Devices.open(device), folder);
                Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
            compare(expected, loaded.model());
        }
    }

    /**
     * Gradients of rounded weights, keys and values, compared with fp32. Experts are chosen as in fp32: where two of
     * them score almost alike, rounding exchanges one for the other, and the gradients change by 10 %. This is a
     * property of the checkpoint, not an error of the computation.
     */
    @ParameterizedTest
    @MethodSource("headscope.model.Fixtures#causal")
    void isCloseToPyTorchInF16(Path folder) {
        GivenRouting routing = new GivenRouting();
        try (Safetensors expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
            try (LoadedModel exact = LoadedModel.open(routing.recording(Backend.open("cpu")), folder)) {
                loss(expected, exact.model(), new Recorder(exact.model(), Fixtures.ids(expected, "input_ids").length));
            }
            try (LoadedModel loaded = LoadedModel.open(routing.replaying(Devices.emulated(DType.F16)), folder)) {
                Recorder recorder = new Recorder(loaded.model(), Fixtures.ids(expected, "input_ids").length);
                float[] loss = expected.get("loss").floats();
                assertArrayEquals(
                        loss, loss(expected, loaded.model(), recorder), Tolerance.model(DType.F16, loss), "loss");
                float[] gates = expected.get("gate_grad").floats();
                assertArrayEquals(gates, recorder.gates, Tolerance.model(DType.F16, gates), "gradient of the gates");
            }
            assertTrue(routing.isUsedUp(), "both models have run the same passes");
        }
    }

    private static float[] loss(Safetensors expected, Transformer model, Recorder recorder) {
        int[] ids = Fixtures.ids(expected, "input_ids");
        int[] last = {ids.length - 1};
        try (Tape tape = model.forward(new Batch(List.of(ids)), Optional.empty(), LayerHook.NONE)) {
            Tensor logits = model.logits(tape, last);
            float[] loss = model.backend().gradients()
                    .crossEntropy(logits, Fixtures.ids(expected, "target"), new float[] {1});
            model.backward(tape, last, logits, recorder);
            return loss;
        }
    }

    private static void compare(Safetensors expected, Transformer model) {
        int[] ids = Fixtures.ids(expected, "input_ids");
        Recorder recorder = new Recorder(model, ids.length);
        float[] loss = expected.get("loss").floats();
        assertArrayEquals(loss, loss(expected, model, recorder), Tolerance.fp32(loss), "loss");
        float[] gates = expected.get("gate_grad").floats();
        assertArrayEquals(gates, recorder.gates, Tolerance.gradient(gates), "gradient of the gates");
        for (int layer = 0; layer < model.config().layers(); layer++) {
            float[] signed = products(expected, layer);
            for (int row = 0; row < recorder.signed[layer].length; row++) {
                double sum = 0;
                for (int column = 0; column < ids.length; column++) {
                    sum += signed[row * ids.length + column];
                }
                assertEquals(sum, recorder.signed[layer][row], Tolerance.gradient(signed),
                        "layer %d, row %d of all heads".formatted(layer, row));
            }
            float[] saliency = signed.clone();
            for (int i = 0; i < saliency.length; i++) {
                saliency[i] = Math.abs(saliency[i]);
            }
            assertArrayEquals(
                    saliency, recorder.maps[layer], Tolerance.gradient(saliency), "saliency maps of layer " + layer);
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
