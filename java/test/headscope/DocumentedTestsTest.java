package headscope;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every row of docs/cases.md names a test, and every test that it names exists. */
class DocumentedTestsTest {
    private static final Pattern NAME = Pattern.compile("`(\\w+Test)\\.(\\w+)`");

    @Test
    void everyRowNamesATestThatExists() throws IOException {
        List<String> rows = Files.readAllLines(Path.of("docs/cases.md")).stream()
                .filter(line -> line.startsWith("| ") && !line.startsWith("| input |") && !line.startsWith("| what happens |"))
                .toList();
        assertTrue(rows.size() > 40, rows.size() + " rows");
        Map<String, String> sources = sources();
        for (String row : rows) {
            assertEquals(4, row.split("(?<!\\\\)\\|").length - 1, row);
            List<MatchResult> tests = NAME.matcher(row).results().toList();
            assertTrue(!tests.isEmpty() || row.contains("bundle/bundle.sh"), row);
            for (MatchResult test : tests) {
                assertTrue(sources.getOrDefault(test.group(1), "").contains("void " + test.group(2) + "("), test.group());
            }
        }
    }

    /** Source text, by class. */
    private static Map<String, String> sources() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("java/test"))) {
            return files.filter(file -> file.toString().endsWith("Test.java")).collect(Collectors.toMap(
                    file -> file.getFileName().toString().replace(".java", ""), DocumentedTestsTest::read));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
