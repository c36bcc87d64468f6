package headscope.analysis;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.backend.Precision;
import headscope.model.ModelConfig;
import headscope.result.RunFolder;
import headscope.result.RunFolderException;
import headscope.tensor.DType;
import headscope.tensor.Safetensors;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The origin of a run's numbers, as JSON that depends on the input alone: equal provenance, equal numbers.
 *
 * @param json everything that determines the values of one text; the number of texts is not part of it
 */
public record Provenance(ObjectNode json) {
    private static final String FILE = "request.json";

    /** At most so many names of differing values in a message. */
    private static final int SHOWN = 4;

    private static final ObjectMapper STRICT = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    /**
     * Waits for the digests.
     *
     * @param precision that is in use
     * @param stored    {@link #storedDtype} of the checkpoint
     * @param input     texts and settings
     */
    static Provenance of(
            RunRequest request, ModelConfig config, Precision precision, String stored, ModelDigests digests, ObjectNode input) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        ObjectNode model = json.putObject("model");
        model.put("path", request.model().toString());
        model.put("type", config.family().modelType());
        model.put("layers", config.layers());
        model.put("heads", config.heads());
        model.put("dtype", precision.name());
        model.put("stored_dtype", stored);
        model.put("weights_sha256", digests.weights());
        digests.settings().forEach(model::put);
        if (!request.prompting().specialTokens()) {
            model.put("special_tokens", false);
        }
        json.setAll(input);
        return new Provenance(json);
    }

    /** The floating-point types of the checkpoint's tensors, sorted: usually one, such as "BF16". */
    static String storedDtype(Safetensors tensors) {
        Set<DType> floating = EnumSet.of(DType.F64, DType.F32, DType.F16, DType.BF16);
        return tensors.names().stream().map(name -> tensors.get(name).dtype()).filter(floating::contains)
                .map(DType::name).distinct().sorted().collect(Collectors.joining(", "));
    }

    /** The same with the size of batches, on which the last digits of a GPU's products depend. */
    Provenance inBatches(int tokens) {
        ObjectNode sized = json.deepCopy();
        sized.withObject("/settings").put("batch_tokens", tokens);
        return new Provenance(sized);
    }

    /** The run id. */
    String run() {
        return Digest.id(json.toString());
    }

    /** Rejects a resumed run whose input differs from that of the interrupted one; stores the input of a new one. */
    void requireSame(RunFolder folder) {
        Path file = folder.progress(FILE);
        try {
            if (folder.resumed() && (Files.exists(file) || hasOthers(file))) {
                compare(stored(file), folder);
                return;
            }
            Path partial = folder.progress(FILE + ".partial-0");
            Files.writeString(partial, json.toString());
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            throw new RunFolderException(file, failure);
        }
    }

    private static boolean hasOthers(Path file) throws IOException {
        try (Stream<Path> members = Files.list(file.getParent())) {
            return members.findAny().isPresent();
        }
    }

    /** The input of the interrupted run. A kill cannot damage its file, but a power failure or an editor can. */
    private static ObjectNode stored(Path file) throws IOException {
        String damage = "is not JSON";
        try {
            if (!Files.exists(file)) {
                damage = "is missing";
            } else if (STRICT.readTree(Files.readString(file)) instanceof ObjectNode object && object.has("model")) {
                return object;
            }
        } catch (JsonProcessingException | CharacterCodingException damaged) {
            // reported below
        }
        throw new InputException(("%s: %s, so that --resume cannot tell which model and texts the interrupted run had; "
                + "restore the file, or start over with --overwrite").formatted(file, damage));
    }

    private void compare(ObjectNode stored, RunFolder folder) throws IOException {
        // through text on both sides: a number that was computed as a float is read back as a double
        if (stored.toString().equals(json.toString())) {
            return;
        }
        List<String> different = new ArrayList<>();
        differences("", stored, STRICT.readTree(json.toString()), different);
        String shown = String.join(", ", different.subList(0, Math.min(different.size(), SHOWN)))
                + (different.size() > SHOWN ? ", ..." : "");
        throw new InputException(("%s: was started with another model, other texts or other settings%s; "
                + "repeat the first command, or start over with --overwrite")
                .formatted(folder.out(), shown.isEmpty() ? "" : " (" + shown + ")"));
    }

    /** Collects the names of the values that differ, such as model.tokenizer_sha256. */
    private static void differences(String prefix, JsonNode a, JsonNode b, List<String> different) {
        Set<String> names = new LinkedHashSet<>();
        a.fieldNames().forEachRemaining(names::add);
        b.fieldNames().forEachRemaining(names::add);
        for (String name : names) {
            JsonNode left = a.path(name);
            JsonNode right = b.path(name);
            if (left.isObject() && right.isObject()) {
                differences(prefix + name + ".", left, right, different);
            } else if (!left.equals(right)) {
                different.add(prefix + name);
            }
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
