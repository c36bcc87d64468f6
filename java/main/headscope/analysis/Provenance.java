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
 * The origin of a run's numbers, as JSON that depends on the input alone: equal provenance, equal numbers.
 *
 * @param json everything that determines the values of one text; the number of texts is not part of it
 */
public record Provenance(ObjectNode json) {
    private static final String FILE = "request.json";

    /**
     * Digests the weights in the background. The checkpoint may be closed meanwhile.
     *
     * @param input texts and settings
     */
    static CompletableFuture<Provenance> read(RunRequest request, Checkpoint checkpoint, ObjectNode input) {
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

    /** The run id: twelve hexadecimal digits of the digest. */
    String run() {
        return Digest.of(json.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 12);
    }

    /** Rejects a resumed run whose input differs from that of the interrupted one; stores the input. */
    void requireSame(RunFolder folder) {
        Path file = folder.progress(FILE);
        try {
            if (folder.resumed() && Files.exists(file) && !Files.readString(file).equals(json.toString())) {
                throw new InputException(("%s: was started with another model, other texts or other settings; "
                        + "repeat the first command, or start over with --overwrite").formatted(folder.out()));
            }
            Files.writeString(file, json.toString());
        } catch (IOException failure) {
            throw new RunFolderException(file, failure);
        }
    }

    /** The common beginning of a manifest: analysis, program, command, run id, device, input and times. */
    ObjectNode manifest(String analysis, RunRequest request, String device, Instant started) {
        ObjectNode manifest = new ObjectMapper().createObjectNode();
        manifest.put("analysis", analysis);
        manifest.put("program", program());
        manifest.put("command", request.command());
        manifest.put("run", run());
        manifest.put("device", device);
        manifest.setAll(json.deepCopy());
        ObjectNode times = manifest.putObject("times");
        times.put("started", started.toString());
        times.put("seconds", Duration.between(started, Instant.now()).toMillis() / 1000.0);
        return manifest;
    }

    /** The program and its version, for a manifest. */
    public static String program() {
        return "headscope " + Optional.ofNullable(Provenance.class.getPackage().getImplementationVersion()).orElse("from sources");
    }
}
