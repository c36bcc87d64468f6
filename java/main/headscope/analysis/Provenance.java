package headscope.analysis;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.model.Checkpoint;
import headscope.model.ModelConfig;
import headscope.result.RunFolder;
import headscope.result.RunFolderException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Where a run's numbers come from, as JSON that depends on nothing but the input: equal provenance, equal numbers.
 *
 * @param json what decides the values of a text; the number of texts does not
 */
public record Provenance(ObjectNode json) {
    private static final String FILE = "request.json";

    /**
     * Beside the caller's own work: the weights are read from end to end. The checkpoint may be closed meanwhile.
     *
     * @param input texts and settings
     */
    public static CompletableFuture<Provenance> read(RunRequest request, Checkpoint checkpoint, ObjectNode input) {
        ModelConfig config = checkpoint.config();
        List<Path> weights = checkpoint.tensors().files();
        return CompletableFuture.supplyAsync(() -> of(request, config, weights, input));
    }

    private static Provenance of(RunRequest request, ModelConfig config, List<Path> weights, ObjectNode input) {
        Path folder = request.model();
        ObjectNode json = new ObjectMapper().createObjectNode();
        ObjectNode model = json.putObject("model");
        model.put("path", folder.toString());
        model.put("type", config.family().modelType());
        model.put("layers", config.layers());
        model.put("heads", config.heads());
        model.put("dtype", request.device().precision().name());
        model.put("config_sha256", Digest.of(List.of(folder.resolve("config.json"))));
        model.put("weights_sha256", Digest.of(weights));
        json.setAll(input);
        return new Provenance(json);
    }

    /** Twelve hexadecimal digits that stand for all of it. */
    public String run() {
        return Digest.of(json.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 12);
    }

    /** A run is continued only with what it was begun with. */
    public void requireSame(RunFolder folder) {
        Path file = folder.progress(FILE);
        try {
            if (folder.resumed() && Files.exists(file) && !Files.readString(file).equals(json.toString())) {
                throw new InputException(("%s: was begun with another model, texts or settings; "
                        + "repeat the first command, or start anew with --overwrite").formatted(folder.out()));
            }
            Files.writeString(file, json.toString());
        } catch (IOException failure) {
            throw new RunFolderException(file, failure);
        }
    }

    /** A manifest's beginning, to which an analysis adds its settings, conventions, results and caption. */
    public ObjectNode manifest(String analysis, RunRequest request, String device, Instant started) {
        ObjectNode manifest = new ObjectMapper().createObjectNode();
        manifest.put("analysis", analysis);
        manifest.put("program", "headscope " + version());
        manifest.put("command", request.command());
        manifest.put("run", run());
        manifest.put("device", device);
        manifest.setAll(json.deepCopy());
        ObjectNode times = manifest.putObject("times");
        times.put("started", started.toString());
        times.put("seconds", Duration.between(started, Instant.now()).toMillis() / 1000.0);
        return manifest;
    }

    private static String version() {
        return Optional.ofNullable(Provenance.class.getPackage().getImplementationVersion()).orElse("from sources");
    }
}
