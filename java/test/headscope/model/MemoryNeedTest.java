package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.Backend;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a model is expected to need is what its backend allocates. */
class MemoryNeedTest {
    private static final int TOKENS = 48;

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "gpt-neox", "llama", "qwen3", "mistral-window"})
    void expectsWhatTheBackendAllocates(String fixture) {
        try (Checkpoint checkpoint = Checkpoint.open(Fixtures.folder(fixture));
                Backend backend = Backend.open("cpu");
                Transformer model = new Transformer(checkpoint, backend)) {
            MemoryNeed need = MemoryNeed.of(checkpoint);
            assertEquals(1, (double) backend.liveBytes() / need.weights(), 0.2, "weights");
            long before = backend.liveBytes();
            try (Sequence text = model.sequence(TOKENS)) {
                int[] ids = new int[TOKENS];
                Arrays.setAll(ids, i -> i % 5);
                model.forward(text, ids, LayerHook.NONE);
                double ratio = (double) (backend.liveBytes() - before) / (TOKENS * need.bytesPerToken());
                assertTrue(ratio > 0.8 && ratio < 1.25, fixture + ": " + ratio);
            }
        }
    }
}
