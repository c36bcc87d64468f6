package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.Backend;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.DType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
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
            int[] ids = new int[TOKENS];
            Arrays.setAll(ids, i -> i % 5);
            long before = backend.liveBytes();
            backend.peakBytes();
            model.observe(new Batch(List.of(ids, ids)), LayerHook.NONE);
            close(fixture + ", batch", (double) (backend.peakBytes() - before) / (2 * TOKENS * need.bytesPerRow()));
            long workspace = backend.liveBytes();
            try (Sequence text = model.sequence(TOKENS)) {
                model.forward(text, ids, LayerHook.NONE);
                close(fixture + ", continued", (double) (backend.liveBytes() - workspace) / (TOKENS * need.bytesKept()));
            }
        }
    }

    /** The demo's weights are stored in BF16. */
    @Test
    void expectsWhatWeightsInTheirOwnTypeTake() {
        try (Checkpoint checkpoint = Checkpoint.open(Path.of("models/demo"));
                Backend backend = new CpuBackend(1, DType.BF16);
                Transformer model = new Transformer(checkpoint, backend)) {
            MemoryNeed need = MemoryNeed.of(checkpoint);
            assertEquals(Set.of(DType.BF16), need.kept().keySet());
            assertEquals(1, (double) backend.liveBytes() / need.kept().get(DType.BF16), 0.02, model.config().toString());
            assertEquals(0.5, (double) need.kept().get(DType.BF16) / need.weights(), 0.02);
        }
    }

    private static void close(String what, double ratio) {
        assertTrue(ratio > 0.8 && ratio < 1.25, what + ": " + ratio);
    }
}
