package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.backend.Backend;
import java.nio.file.Path;
import java.util.OptionalLong;

/** A checkpoint on its own backend. Closing it fails if the model has leaked device memory. */
record LoadedModel(Backend backend, Transformer model) implements AutoCloseable {
    /** @param backend is closed together with the model */
    static LoadedModel open(Backend backend, Path folder) {
        return open(backend, folder, OptionalLong.empty());
    }

    /** @param kept bytes of activations that a tape may keep */
    static LoadedModel open(Backend backend, Path folder, long kept) {
        return open(backend, folder, OptionalLong.of(kept));
    }

    private static LoadedModel open(Backend backend, Path folder, OptionalLong kept) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return new LoadedModel(backend, new Transformer(checkpoint, backend, kept));
        }
    }

    static LoadedModel open(Path folder) {
        return open(Backend.open("cpu"), folder);
    }

    static LoadedModel open(String fixture) {
        return open(Fixtures.folder(fixture));
    }

    @Override
    public void close() {
        try (backend) {
            model.close();
            assertEquals(0, backend.liveBytes(), "bytes that the model has not freed");
        }
    }
}
