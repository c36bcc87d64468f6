package headscope.timing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.InputFile;
import headscope.tensor.StrictJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Measurements on one device, as JSON.
 *
 * @param date ISO 8601
 */
public record BenchFile(
        String program, String device, String date, Ceilings ceilings, List<Measurement> measurements) {
    private static final long MAX_BYTES = 16 * InputFile.MIB;
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Change of a measurement since an earlier file.
     *
     * @param ratio new time over old time
     * @param noise sum of both measurements' noise; a ratio above 1 + noise is a regression
     */
    public record Change(String name, double ratio, double noise) {
        public boolean isRegression() {
            return ratio > 1 + noise;
        }
    }

    public String text() {
        ObjectNode json = JSON.createObjectNode();
        json.put("program", program);
        json.put("device", device);
        json.put("date", date);
        json.put("product_teraflops", ceilings.teraflops());
        json.put("copy_gigabytes_per_second", ceilings.gigabytesPerSecond());
        measurements.forEach(one -> json.withArray("measurements").add(json(one)));
        return json.toPrettyString() + "\n";
    }

    private ObjectNode json(Measurement one) {
        ObjectNode json = JSON.createObjectNode();
        json.put("shape", one.shape());
        json.put("tokens", one.tokens());
        json.put("dtype", one.dtype());
        json.put("operation", one.operation());
        json.put("kernel", one.kernel());
        json.put("runs", one.runs());
        json.put("median_ms", 1e3 * one.median());
        json.put("least_ms", 1e3 * one.fastest());
        json.put("most_ms", 1e3 * one.slowest());
        json.put("operations", one.operations());
        json.put("bytes", one.bytes());
        json.put("teraflops", one.teraflops());
        json.put("share_of_product", one.teraflops() / ceilings.teraflops());
        json.put("gigabytes_per_second", one.gigabytesPerSecond());
        json.put("share_of_copy", one.gigabytesPerSecond() / ceilings.gigabytesPerSecond());
        json.put("peak_bytes", one.peakBytes());
        return json;
    }

    /** @throws IllegalArgumentException if the file was not written by bench --json */
    public static BenchFile read(Path file) {
        JsonNode json = tree(file, "written by bench --json");
        if (!json.path("measurements").isArray()) {
            throw new IllegalArgumentException(file + ": contains no measurements; give a file written by bench --json");
        }
        List<Measurement> measurements = new ArrayList<>();
        for (JsonNode one : json.get("measurements")) {
            if (!(one.path("median_ms").asDouble() > 0)) {
                throw new IllegalArgumentException(file + ": contains a measurement without a time; give a file written by bench --json");
            }
            measurements.add(measurement(one));
        }
        return new BenchFile(json.path("program").asText(), json.path("device").asText(), json.path("date").asText(),
                new Ceilings(json.path("product_teraflops").asDouble(),
                        json.path("copy_gigabytes_per_second").asDouble()), measurements);
    }

    /**
     * Reads times of other programs, written by the scripts of benchmarks/gpu: milliseconds by name.
     *
     * @throws IllegalArgumentException if the file is not JSON
     */
    public static Map<String, Double> readPeers(Path file) {
        Map<String, Double> times = new TreeMap<>();
        tree(file, "written by a script of benchmarks/gpu").properties().forEach(entry -> {
            if (entry.getValue().isNumber()) {
                times.put(entry.getKey(), entry.getValue().asDouble());
            }
        });
        return times;
    }

    private static JsonNode tree(Path file, String wanted) {
        try {
            return StrictJson.read(file, MAX_BYTES);
        } catch (IOException failure) {
            throw new IllegalArgumentException("%s: %s; give a file %s".formatted(file, StrictJson.fault(failure), wanted));
        }
    }

    private static Measurement measurement(JsonNode json) {
        return new Measurement(
                json.path("shape").asText(), json.path("tokens").asInt(), json.path("dtype").asText(),
                json.path("operation").asText(), json.path("kernel").asText(), json.path("runs").asInt(),
                json.path("median_ms").asDouble() / 1e3, json.path("least_ms").asDouble() / 1e3,
                json.path("most_ms").asDouble() / 1e3, json.path("operations").asDouble(),
                json.path("bytes").asDouble(), json.path("peak_bytes").asLong());
    }

    /**
     * These measurements, and those of an earlier file that were not repeated.
     *
     * @throws IllegalArgumentException if the earlier file is of another device
     */
    public BenchFile with(BenchFile earlier) {
        if (!device.equals(earlier.device)) {
            throw new IllegalArgumentException("the earlier file was measured on %s, not on %s".formatted(earlier.device, device));
        }
        Set<String> names = measurements.stream().map(Measurement::name).collect(Collectors.toSet());
        return new BenchFile(program, device, date, ceilings, Stream.concat(
                earlier.measurements.stream().filter(one -> !names.contains(one.name())), measurements.stream()).toList());
    }

    /**
     * Changes of all measurements that both files contain, except those with a single run, whose noise is not known.
     *
     * @throws IllegalArgumentException if there are none
     */
    public List<Change> since(BenchFile earlier) {
        List<Change> changes = new ArrayList<>();
        for (Measurement now : measurements) {
            earlier.measurements.stream().filter(before -> before.name().equals(now.name()) && before.runs() > 1 && now.runs() > 1).findFirst()
                    .ifPresent(before -> changes.add(new Change(
                            now.name(), now.median() / before.median(), now.noise() + before.noise())));
        }
        if (changes.isEmpty()) {
            throw new IllegalArgumentException(("the earlier file, measured on %s, has no measurement in common with this run: use the same --shape,"
                    + " --tokens and --dtype").formatted(earlier.device));
        }
        return changes;
    }
}
