package headscope;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.DynamicTest;

/**
 * Results of SciPy, from a file among the test resources, and from the file named by the system property
 * {@code headscope.statistics} if it is set.
 */
public final class StatisticsFile {
    private StatisticsFile() {}

    /** One test per file and case of a section. */
    public static List<DynamicTest> cases(String section, Consumer<JsonNode> check) {
        List<DynamicTest> tests = new ArrayList<>();
        for (URL file : files()) {
            List<JsonNode> found = elements(read(file).path(section));
            if (found.isEmpty()) {
                throw new AssertionError(file + ": no case of " + section);
            }
            for (JsonNode one : found) {
                String name = one.path("name").asText(section + " " + tests.size());
                tests.add(DynamicTest.dynamicTest(name, URI.create(file.toString()), () -> check.accept(one)));
            }
        }
        return tests;
    }

    /** A section is a list of cases, or a single case. */
    private static List<JsonNode> elements(JsonNode section) {
        return section.isObject() ? List.of(section) : section.valueStream().toList();
    }

    private static List<URL> files() {
        List<URL> files = new ArrayList<>();
        files.add(StatisticsFile.class.getResource("/headscope/fixtures/statistics.json"));
        String other = System.getProperty("headscope.statistics", "");
        if (!other.isEmpty()) {
            try {
                files.add(Path.of(other).toUri().toURL());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return files;
    }

    private static JsonNode read(URL file) {
        try (InputStream bytes = file.openStream()) {
            return new ObjectMapper().readTree(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static double[] doubles(JsonNode array) {
        double[] values = new double[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asDouble();
        }
        return values;
    }
}
