package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.backend.Backend;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Changes each key of the fixtures' config.json and compares the logits with those of transformers 5.18, which are in
 * the test resources (config-audit) and below -Dheadscope.audit=DIR. They must be equal unless docs/families.md lists
 * the key as rejected. Each folder is named after the fixture whose weights it uses. cases.json lists the changes, and
 * expected.safetensors has the logits of each case, or of the earlier case that "expected" names.
 */
class ConfigAuditTest {
    /** Relative to the largest logit: both sum in fp32, in different orders. */
    private static final double TOLERANCE = 1e-3;

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    /** What became of one case; a failure says what is wrong. */
    private record Verdict(String outcome, Optional<String> failure) {
        static Verdict right(String outcome) {
            return new Verdict(outcome, Optional.empty());
        }

        static Verdict wrong(String outcome, String detail) {
            return new Verdict(outcome, Optional.of(detail));
        }
    }

    static List<Path> audits() throws IOException {
        List<Path> roots = new ArrayList<>(List.of(Fixtures.folder("").resolveSibling("config-audit")));
        Optional.ofNullable(System.getProperty("headscope.audit"))
                .filter(root -> !root.isEmpty())
                .ifPresent(root -> roots.add(Path.of(root)));
        List<Path> found = new ArrayList<>();
        for (Path root : roots) {
            try (Stream<Path> folders = Files.list(root)) {
                folders.filter(audit -> Files.exists(audit.resolve("cases.json"))).sorted().forEach(found::add);
            }
        }
        assertFalse(found.isEmpty());
        return found;
    }

    @ParameterizedTest
    @MethodSource("audits")
    void equalsTransformersOrIsRejected(Path audit) throws IOException {
        Path fixture = Fixtures.folder(audit.getFileName().toString());
        JsonNode config = JSON.readTree(Files.readString(fixture.resolve("config.json")));
        FamilyTable documented = FamilyTable.read(config.get("model_type").textValue());
        JsonNode cases = JSON.readTree(Files.readString(audit.resolve("cases.json")));
        List<String> outcomes = new ArrayList<>();
        List<String> failures = new ArrayList<>();
        try (Safetensors weights = Safetensors.open(fixture);
                Safetensors expected = Safetensors.open(audit.resolve("expected.safetensors"));
                Backend backend = Backend.open("cpu")) {
            int[] ids = Fixtures.ids(expected, "input_ids");
            for (int i = 0; i < cases.size(); i++) {
                JsonNode one = cases.get(i);
                ObjectNode changed = config.deepCopy();
                one.get("drop").forEach(key -> changed.remove(key.textValue()));
                changed.setAll((ObjectNode) one.get("patch"));
                Files.writeString(folder.resolve("config.json"), changed.toString());
                String logits = one.path("expected").asText("logits." + i);
                Verdict verdict = judge(one, documented, weights, backend, ids, () -> expected.get(logits).floats());
                outcomes.add("%s\t%s".formatted(verdict.outcome(), one.get("name").textValue()));
                verdict.failure().ifPresent(detail -> failures.add(
                        "%s: %s: %s".formatted(one.get("name").textValue(), verdict.outcome(), detail)));
            }
        }
        Path table = Files.createDirectories(Path.of("target/config-audit"));
        Files.write(table.resolve(audit.getFileName() + ".tsv"), outcomes);
        assertEquals("", String.join("\n", failures));
    }

    private interface Expected {
        float[] logits();
    }

    private Verdict judge(
            JsonNode one, FamilyTable documented, Safetensors weights, Backend backend, int[] ids, Expected expected) {
        String outcome = one.get("outcome").textValue();
        Set<String> changedKeys = new TreeSet<>();
        one.get("patch").fieldNames().forEachRemaining(changedKeys::add);
        one.get("drop").forEach(key -> changedKeys.add(key.textValue()));
        float[] logits;
        try {
            logits = logits(weights, backend, ids);
        } catch (ModelFormatException rejection) {
            String message = rejection.getMessage();
            if (message.lines().count() != 1) {
                return Verdict.wrong("rejected in several lines", message);
            }
            boolean listed = documented.rejects(message, changedKeys);
            return switch (outcome) {
                case "error" -> Verdict.right("rejected, as by transformers");
                case "missing" -> message.contains("no such tensor") || listed
                        ? Verdict.right("rejected, tensors missing")
                        : Verdict.wrong("rejected without the tensor's name", message);
                default -> listed
                        ? Verdict.right("rejected")
                        : Verdict.wrong("rejected, not in docs/families.md", message);
            };
        } finally {
            assertEquals(0, backend.liveBytes(), one.toString());
        }
        return switch (outcome) {
            case "missing" -> Verdict.wrong("computed without tensors", one.get("note").textValue());
            case "error" -> documented.accepts(changedKeys)
                    ? Verdict.right("computed, transformers stops")
                    : Verdict.wrong("computed where transformers stops", one.get("note").textValue());
            default -> {
                double difference = difference(expected.logits(), logits);
                yield difference <= TOLERANCE
                        ? Verdict.right("equal")
                        : Verdict.wrong("different", "%s, %s by %.2g".formatted(one.get("patch"), one.get("drop"), difference));
            }
        };
    }

    private float[] logits(Safetensors weights, Backend backend, int[] ids) {
        Checkpoint checkpoint = new Checkpoint(folder, ConfigReader.read(folder), weights);
        try (Transformer model = new Transformer(checkpoint, backend);
                Sequence sequence = model.sequenceWithoutStatistics(ids.length)) {
            Tensor hidden = model.forward(sequence, ids, LayerHook.NONE);
            return backend.download(model.logits(hidden));
        }
    }

    /** Of the largest expected value. */
    private static double difference(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
        }
        return difference / largest;
    }
}
