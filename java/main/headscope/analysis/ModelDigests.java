package headscope.analysis;

import headscope.tensor.ModelFormatException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;

/** SHA-256 digests of a model's files, computed in the background: weights are digested while they are used. */
final class ModelDigests {
    /** Files besides the weights that determine tokens, prompts, generated answers or numbers; key and file name. */
    static final SequencedMap<String, String> SETTINGS = settingsFiles();

    private static final Executor BACKGROUND = task -> Thread.ofPlatform().daemon().name("headscope-digest").start(task);

    private final CompletableFuture<SequencedMap<String, String>> settings;
    private final CompletableFuture<String> weights;

    private ModelDigests(Supplier<SequencedMap<String, String>> settings, Supplier<String> weights) {
        this.settings = CompletableFuture.supplyAsync(settings, BACKGROUND);
        this.weights = CompletableFuture.supplyAsync(weights, BACKGROUND);
    }

    private static SequencedMap<String, String> settingsFiles() {
        SequencedMap<String, String> files = new LinkedHashMap<>();
        files.put("config_sha256", "config.json");
        files.put("weights_index_sha256", "model.safetensors.index.json");
        files.put("tokenizer_sha256", "tokenizer.json");
        files.put("tokenizer_config_sha256", "tokenizer_config.json");
        files.put("chat_template_sha256", "chat_template.jinja");
        files.put("generation_config_sha256", "generation_config.json");
        return Collections.unmodifiableSequencedMap(files);
    }

    /**
     * @param weights files of the weights, in their order
     * @param digest  of these files
     */
    static ModelDigests start(Path folder, List<Path> weights, Function<List<Path>, String> digest) {
        return new ModelDigests(() -> {
            SequencedMap<String, String> digests = new LinkedHashMap<>();
            SETTINGS.forEach((key, name) -> {
                Path file = folder.resolve(name);
                if (Files.exists(file)) {
                    digests.put(key, Digest.of(List.of(file)));
                }
            });
            return digests;
        }, () -> digest.apply(weights));
    }

    /**
     * Waits for the digests of the {@link #SETTINGS} that exist.
     *
     * @throws ModelFormatException if a file cannot be read
     */
    SequencedMap<String, String> settings() {
        return joined(settings);
    }

    /**
     * Waits for the digest of the weights.
     *
     * @throws ModelFormatException if a file cannot be read
     */
    String weights() {
        return joined(weights);
    }

    /** Whether {@link #settings} and {@link #weights} no longer wait. */
    boolean areKnown() {
        return settings.isDone() && weights.isDone();
    }

    private static <T> T joined(CompletableFuture<T> reading) {
        try {
            return reading.join();
        } catch (CompletionException failure) {
            if (failure.getCause() instanceof ModelFormatException unreadable) {
                throw unreadable;
            }
            throw failure;
        }
    }
}
