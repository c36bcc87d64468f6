package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.backend.InstrumentedBackend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Gradients do not depend on how many layers a tape keeps. */
class KeptLayersTest {
    private static final List<int[]> TEXTS = List.of(text(7), text(1), text(20));

    private static int[] text(int tokens) {
        return new Random(tokens).ints(tokens, 1, 96).toArray();
    }

    /** On a GPU, attention reads other tensors than those that are projected. */
    private static final String IN_16_BITS = "emulated cuda, bf16";

    static Stream<Arguments> modelsOnDevices() {
        return Stream.of("cpu", IN_16_BITS).flatMap(
                device -> Fixtures.causal().stream().map(folder -> Arguments.of(device, folder)));
    }

    private static Backend open(String device) {
        return device.equals(IN_16_BITS) ? Devices.emulated(DType.BF16) : Backend.open(device);
    }

    @ParameterizedTest
    @MethodSource("modelsOnDevices")
    void keptLayersGiveTheSameBits(String device, Path folder) {
        BackwardTest.Result computedAgain = run(device, folder, 0);
        same(computedAgain, run(device, folder, bytes(device, folder)), "one layer kept");
        same(computedAgain, run(device, folder, Long.MAX_VALUE), "all layers kept");
    }

    private static BackwardTest.Result run(String device, Path folder, long kept) {
        try (LoadedModel loaded = LoadedModel.open(open(device), folder, kept);
                HeadGates gates = PackedPassTest.gates(loaded.model(), TEXTS.size())) {
            return BackwardTest.run(loaded.model(), TEXTS, Optional.of(gates));
        }
    }

    /** What the rows of the texts take in a layer. */
    private static long bytes(String device, Path folder) {
        try (Checkpoint checkpoint = Checkpoint.open(folder); Backend backend = open(device)) {
            return new Batch(TEXTS).rows() * LayerActivations.bytesPerRow(checkpoint.config(), backend);
        }
    }

    private static void same(BackwardTest.Result expected, BackwardTest.Result actual, String what) {
        assertArrayEquals(expected.losses(), actual.losses(), what);
        assertArrayEquals(expected.gates(), actual.gates(), what);
        assertArrayEquals(expected.signed(), actual.signed(), what);
    }

    /** Products, attention and norms of a kept layer are not called again. */
    @Test
    void aKeptLayerIsNotComputedAgain() {
        List<String> again = calls(0);
        List<String> kept = calls(Long.MAX_VALUE);
        for (String operation : List.of("linear", "attention", "layerNorm")) {
            assertTrue(Collections.frequency(kept, operation) < Collections.frequency(again, operation), operation);
        }
    }

    private static List<String> calls(long kept) {
        List<String> called = Collections.synchronizedList(new ArrayList<>());
        try (LoadedModel loaded = LoadedModel.open(
                InstrumentedBackend.recording(Backend.open("cpu"), called), Fixtures.folder("gpt2"), kept)) {
            BackwardTest.run(loaded.model(), TEXTS, Optional.empty());
        }
        return called;
    }

    /** What fits into a device's memory without kept activations is still computed at once. */
    @Test
    void nothingIsKeptIfMemoryIsShort() {
        Path folder = Fixtures.folder("llama");
        Batch batch = new Batch(List.of(text(40)));
        float[] expected;
        long memory;
        try (LoadedModel loaded = LoadedModel.open(Devices.emulated(DType.F32), folder, 0)) {
            expected = gradient(loaded.model(), batch);
            memory = loaded.backend().peakBytes();
        }
        List<float[]> gradients = new ArrayList<>();
        int[] attempts = new int[1];
        try (LoadedModel loaded = LoadedModel.open(Devices.emulated(memory), folder)) {
            loaded.model().splitOnOutOfMemory(1, (first, count) -> {
                attempts[0]++;
                gradients.add(gradient(loaded.model(), batch));
            });
        }
        assertEquals(2, attempts[0]);
        assertArrayEquals(expected, gradients.getFirst());
    }

    /** Another forward pass takes the memory; the first tape's layers are computed again. */
    @Test
    void anEarlierTapeIsStillRight() {
        try (LoadedModel loaded = LoadedModel.open("llama")) {
            Transformer model = loaded.model();
            Batch batch = new Batch(List.of(text(20)));
            float[] expected = gradient(model, batch);
            float[] actual;
            try (Tape first = model.forward(batch, Optional.empty(), LayerHook.NONE)) {
                gradient(model, new Batch(List.of(text(7))));
                actual = gradient(model, first);
            }
            assertArrayEquals(expected, actual);
        }
    }

    private static float[] gradient(Transformer model, Batch batch) {
        try (Tape tape = model.forward(batch, Optional.empty(), LayerHook.NONE)) {
            return gradient(model, tape);
        }
    }

    private static float[] gradient(Transformer model, Tape tape) {
        int heads = model.config().heads();
        float[] gradient = new float[model.config().layers() * heads];
        int[] rows = {tape.batch().rows() - 1};
        Tensor logits = model.logits(tape, rows);
        model.backend().gradients().crossEntropy(logits, new int[] {5}, new float[] {1});
        model.backward(tape, rows, logits, new GradientHook() {
            @Override
            public void gates(int layer, int text, float[] one) {
                System.arraycopy(one, 0, gradient, layer * heads, heads);
            }
        });
        return gradient;
    }
}
