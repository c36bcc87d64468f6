package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.backend.Backend;
import headscope.backend.Precision;
import headscope.model.Batch;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Kernels that a pass over one text launches: at a few hundred tokens, a launch takes as long as its work. */
class PassLaunchesTest {
    private static final int LAYERS = 3;

    /**
     * A layer of llama: norm, one product for q, k and v, their rotation, attention, output product; norm, one product for gate
     * and up, the gate, down product. Norms of q and k are part of the rotation; biases take a launch each.
     *
     * @param outside of the layers: token embeddings, and positions that are added to them
     */
    @ParameterizedTest
    @CsvSource({
        "llama, F32, 9, 1", "llama, BF16, 9, 1", "qwen3, F32, 9, 1", "qwen3, F16, 9, 1", "phi3, F32, 9, 1", "gpt2, F32, 13, 2"
    })
    void launchesOfALayer(String fixture, Precision precision, int ofLayer, int outside) {
        EmulatedDevice device = new EmulatedDevice(Long.MAX_VALUE);
        try (Backend backend = new CudaBackend(device, precision); Transformer model = DecodingStepsTest.open(fixture, backend)) {
            Batch batch = new Batch(List.of(new int[] {1, 17, 42, 5, 90, 33}));
            model.read(batch, Optional.empty(), LayerHook.NONE);
            long before = device.launches();
            model.read(batch, Optional.empty(), LayerHook.NONE);
            assertEquals(LAYERS * ofLayer + outside, device.launches() - before);
        }
    }

    /** Keys and values go straight to where the sequence keeps them; splits of the keys are merged in a launch of their own. */
    @ParameterizedTest
    @CsvSource({"llama, F32, 10, 1", "llama, BF16, 10, 1", "qwen3, F32, 10, 1"})
    void launchesOfALayerForOneMoreToken(String fixture, Precision precision, int ofLayer, int outside) {
        EmulatedDevice device = new EmulatedDevice(Long.MAX_VALUE);
        try (Backend backend = new CudaBackend(device, precision); Transformer model = DecodingStepsTest.open(fixture, backend);
                Sequence sequence = model.sequenceWithoutStatistics(40)) {
            model.forward(sequence, new int[] {1, 17, 42}, LayerHook.NONE);
            model.forward(sequence, new int[] {5}, LayerHook.NONE);
            long before = device.launches();
            model.forward(sequence, new int[] {90}, LayerHook.NONE);
            assertEquals(LAYERS * ofLayer + outside, device.launches() - before);
        }
    }
}
