package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

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
import org.junit.jupiter.api.TestFactory;

/**
 * What SciPy computed, from the file among the test resources and from the one that the system property
 * {@code headscope.statistics} names, if it names one. A section of the file is one method here.
 */
final class StatisticsFixtureTest {
    private static final double RELATIVE = 1e-12;

    @TestFactory
    List<DynamicTest> mannWhitney() {
        return cases("mann_whitney", one -> {
            MannWhitney test = MannWhitney.test(doubles(one.get("x")), doubles(one.get("y")));
            assertClose(one.get("u").asDouble(), test.u(), "u");
            assertClose(one.get("p").asDouble(), test.p(), "p");
            assertClose(one.get("auroc").asDouble(), test.auroc(), "auroc");
        });
    }

    @TestFactory
    List<DynamicTest> benjaminiHochberg() {
        return cases("benjamini_hochberg", one -> {
            double[] expected = doubles(one.get("q"));
            double[] q = BenjaminiHochberg.qValues(doubles(one.get("p")));
            assertEquals(expected.length, q.length);
            for (int i = 0; i < q.length; i++) {
                assertClose(expected[i], q[i], "q " + i);
            }
        });
    }

    /** One test for each case of a section in each file. */
    private static List<DynamicTest> cases(String section, Consumer<JsonNode> check) {
        List<DynamicTest> tests = new ArrayList<>();
        for (URL file : files()) {
            List<JsonNode> found = elements(read(file).path(section));
            assertFalse(found.isEmpty(), () -> file + ": no case of " + section);
            for (JsonNode one : found) {
                String name = one.path("name").asText(section + " " + tests.size());
                tests.add(dynamicTest(name, URI.create(file.toString()), () -> check.accept(one)));
            }
        }
        return tests;
    }

    /** A section is a list of cases, or one case by itself. */
    private static List<JsonNode> elements(JsonNode section) {
        return section.isObject() ? List.of(section) : section.valueStream().toList();
    }

    private static List<URL> files() {
        List<URL> files = new ArrayList<>();
        files.add(StatisticsFixtureTest.class.getResource("/headscope/fixtures/statistics.json"));
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

    private static double[] doubles(JsonNode array) {
        double[] values = new double[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).asDouble();
        }
        return values;
    }

    private static void assertClose(double expected, double actual, String what) {
        assertEquals(expected, actual, RELATIVE * Math.abs(expected), what);
    }
}
