package headscope.tensor;

import static headscope.tensor.RawFile.entry;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import headscope.tensor.SafetensorsWriter.Layout;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import net.jqwik.api.statistics.Statistics;
import net.jqwik.api.statistics.StatisticsReport;
import net.jqwik.api.statistics.StatisticsReport.StatisticsReportMode;

/** Valid files survive a round trip; tampered files are read or rejected with a ModelFormatException. */
class SafetensorsFuzzTest {
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final Pattern TOKEN = Pattern.compile("\"[^\"]*\"|\\d+|[\\[\\]{}:,]");
    private static final List<String> NUMBERS = List.of(
            "0", "1", "-1", "7", "8", "4294967296", "9223372036854775807",
            "9223372036854775808", "18446744073709551615", "-9223372036854775809", "1e1000000000",
            "1E-999999999", "0.5", "00", "1" + "0".repeat(1000), "-0", "null", "true", "\"8\"", "[]", "{}",
            "NaN", "0x10", "");
    private static final List<String> TEXTS = List.of(
            "\"\\ud800\"", "\"\\udfff\\ud800\"", "\"\"", "\"__metadata__\"",
            "\"dtype\"", "\"F32\"", "\"F16\"", "\"U8\"", "\"shape\"", "\"a\"", "{", "}", "[", "]", "[[[[",
            "{\"a\":{", ",", ":", "\n", "\u0000", "\ufeff", "/*", "//", "'", "\\u0061", "[".repeat(5000),
            "{\"a\":".repeat(5000));

    private static Path file;

    @BeforeContainer
    static void createFile() throws IOException {
        file = Files.createTempFile("fuzz", ".safetensors");
    }

    @AfterContainer
    static void deleteFile() throws IOException {
        Files.delete(file);
    }

    @Property(tries = 300)
    void writtenFilesSurviveARoundTrip(@ForAll("layouts") List<Layout> layouts,
            @ForAll("metadata") Map<String, String> metadata, @ForAll long seed) {
        Random random = new Random(seed);
        Map<String, long[]> written = new HashMap<>();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, metadata, layouts)) {
            for (Layout layout : layouts) {
                int count = (int) Arrays.stream(layout.shape()).reduce(1, Math::multiplyExact);
                int[] values = random.ints(count).toArray();
                written.put(layout.name(), Arrays.stream(values).asLongStream().toArray());
                switch (layout.dtype()) {
                    case I32 -> writer.append(layout.name(), values);
                    case I64 -> writer.append(layout.name(), written.get(layout.name()));
                    default -> writer.append(layout.name(), floats(values));
                }
            }
            writer.commit();
        }
        try (Safetensors stored = Safetensors.open(file)) {
            assertEquals(written.keySet(), stored.names());
            assertEquals(metadata, stored.metadata());
            for (Layout layout : layouts) {
                StoredTensor tensor = stored.get(layout.name());
                assertArrayEquals(layout.shape(), tensor.shape());
                assertEquals(layout.dtype(), tensor.dtype());
                if (layout.dtype() == DType.F32) {
                    int[] integers = Arrays.stream(written.get(layout.name())).mapToInt(Math::toIntExact)
                            .toArray();
                    assertArrayEquals(floats(integers), tensor.floats());
                } else {
                    assertArrayEquals(written.get(layout.name()), tensor.longs());
                }
            }
        }
    }

    @Property(tries = 5000)
    @StatisticsReport(StatisticsReportMode.OFF)
    void tamperedHeadersAreReadOrRejected(@ForAll long seed) {
        byte[] bytes = tampered(new Random(seed));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        boolean read = readOrReject(bytes);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < 1_000_000 + 100L * bytes.length,
                "%d bytes allocated for a file of %d".formatted(allocated, bytes.length));
        // Both outcomes must be frequent: otherwise the changes are too small or too large to find errors.
        Statistics.collect(read);
        Statistics.coverage(counts -> {
            counts.check(true).percentage(share -> share > 2);
            counts.check(false).percentage(share -> share > 50);
        });
    }

    @Property(tries = 500)
    void tamperedFilesAreOpenedOrRejected(@ForAll long seed) throws IOException {
        Files.write(file, tampered(new Random(seed)));
        try (Safetensors stored = Safetensors.open(file)) {
            for (String name : stored.names()) {
                StoredTensor tensor = stored.get(name);
                if (tensor.dtype() == DType.F32 || tensor.dtype() == DType.F16) {
                    assertEquals(tensor.count(), tensor.floats().length);
                }
            }
        } catch (ModelFormatException rejected) {
            assertEquals(1, rejected.getMessage().lines().count(), rejected.getMessage());
        }
    }

    /** Whether the file is accepted; then its tensors must cover the data exactly once. */
    private static boolean readOrReject(byte[] bytes) {
        try {
            SafetensorsHeader header = new SafetensorsHeader(Path.of("m"), MemorySegment.ofArray(bytes));
            long end = header.dataStart();
            for (SafetensorsHeader.Entry entry : header.entries()) {
                assertEquals(end, header.dataStart() + entry.begin());
                long count = Arrays.stream(entry.shape()).reduce(1, Math::multiplyExact);
                assertEquals(entry.end() - entry.begin(), count * entry.dtype().bytes);
                end = header.dataStart() + entry.end();
            }
            assertEquals(bytes.length, end);
            return true;
        } catch (ModelFormatException rejected) {
            assertEquals(1, rejected.getMessage().lines().count(), rejected.getMessage());
            assertTrue(rejected.getMessage().length() < 2000, rejected.getMessage());
            return false;
        }
    }

    /** A valid file with one to three changes. */
    private static byte[] tampered(Random random) {
        String json = "{\"__metadata__\":{\"format\":\"pt\"}," + entry("a", "F32", "[2,1]", 0, 8) + ","
                + entry("b", "F16", "[3]", 8, 14) + "," + entry("empty", "I64", "[0]", 14, 14) + "}";
        int changes = 1 + random.nextInt(3);
        boolean keepsLength = random.nextInt(4) == 0;
        int length = json.length();
        for (int i = 0; i < changes; i++) {
            json = change(json, random);
        }
        byte[] bytes = RawFile.bytes(json, 14);
        if (keepsLength) {
            bytes[0] = (byte) length;
        }
        for (int i = random.nextInt(3) * random.nextInt(2); i > 0; i--) {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return random.nextInt(10) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length + 20)) : bytes;
    }

    private static String change(String json, Random random) {
        return switch (random.nextInt(9)) {
            case 0 -> replace(json, NUMBER, pick(NUMBERS, random), random);
            case 1 -> replace(json, TOKEN, pick(TEXTS, random), random);
            case 2 -> replace(json, NUMBER, String.valueOf(random.nextInt(16)), random);
            case 3 -> swap(json, random);
            case 4 -> {
                int at = random.nextInt(json.length() + 1);
                yield json.substring(0, at) + pick(TEXTS, random) + json.substring(at);
            }
            case 5 -> repeat(json, random);
            case 6 -> json.replaceFirst("\"(a|b|empty|format|pt)\"",
                    "\"" + (char) ('c' + random.nextInt(20)) + "\"");
            case 7 -> json.replace(",", ", \t\r\n");
            default -> json + " ".repeat(random.nextInt(9));
        };
    }

    private static String replace(String json, Pattern pattern, String replacement, Random random) {
        List<MatchResult> found = pattern.matcher(json).results().toList();
        if (found.isEmpty()) {
            return json + replacement;
        }
        MatchResult at = pick(found, random);
        return json.substring(0, at.start()) + replacement + json.substring(at.end());
    }

    /** Swaps two tokens: names, offsets, brackets. */
    private static String swap(String json, Random random) {
        List<String> tokens = new ArrayList<>(TOKEN.matcher(json).results().map(MatchResult::group).toList());
        if (tokens.size() > 1) {
            Collections.swap(tokens, random.nextInt(tokens.size()), random.nextInt(tokens.size()));
        }
        return String.join("", tokens);
    }

    /** Repeats the text between two commas: entries, keys, numbers. */
    private static String repeat(String json, Random random) {
        int from = json.indexOf(',', random.nextInt(json.length() + 1));
        int to = json.indexOf(',', from + 1 + random.nextInt(60));
        return from < 0 || to < 0 ? json + json
                : json.substring(0, to) + json.substring(from, to) + json.substring(to);
    }

    private static <T> T pick(List<T> list, Random random) {
        return list.get(random.nextInt(list.size()));
    }

    private static float[] floats(int[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = values[i];
        }
        return floats;
    }

    @Provide
    Arbitrary<List<Layout>> layouts() {
        Arbitrary<Layout> one = Combinators.combine(text(), Arbitraries.of(DType.F32, DType.I64, DType.I32),
                Arbitraries.longs().between(0, 9).array(long[].class).ofMaxSize(4)).as(Layout::new);
        return one.list().ofMaxSize(6).uniqueElements(Layout::name);
    }

    @Provide
    Arbitrary<Map<String, String>> metadata() {
        return Arbitraries.maps(text(), text()).ofMaxSize(3);
    }

    private static Arbitrary<String> text() {
        return Arbitraries.strings().ofMaxLength(12).filter(StandardCharsets.UTF_8.newEncoder()::canEncode);
    }
}
