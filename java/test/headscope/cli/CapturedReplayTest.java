package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.Tolerance;
import headscope.analysis.watch.WatchRequest;
import headscope.backend.Backend;
import headscope.live.LiveText;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.result.frame.Frame.Token;
import headscope.result.frame.FrameFileReader;
import headscope.result.frame.RecordedFrame;
import headscope.result.tapped.CapturedFile;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Captured texts in live --replay. */
final class CapturedReplayTest {
    private static final int[] IDS = {1, 5, 9, 2, 7, 3, 8, 6, 4};
    private static final Map<String, String> METADATA = Map.of("format", "headscope-captured", "version", "1");

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("text.safetensors");
    }

    private static Path fixture(String name) throws URISyntaxException {
        return Path.of(CapturedReplayTest.class.getResource("/headscope/fixtures/" + name).toURI());
    }

    private static ChildJvm.Result headscope(String... arguments) {
        List<String> all = new ArrayList<>(List.of("live", "--device", "cpu"));
        all.addAll(List.of(arguments));
        return CommandLineTest.headscope(all);
    }

    private static LiveText recorded(Path recording) {
        try (FrameFileReader reader = FrameFileReader.open(recording)) {
            LiveText text = new LiveText(reader.source());
            for (Optional<RecordedFrame> frame = reader.next(); frame.isPresent(); frame = reader.next()) {
                text.add(frame.get().frame());
            }
            return text;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "mistral-window", "gemma2", "bert"})
    void valuesEqualThoseOfTheModel(String fixture) throws URISyntaxException, IOException {
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(fixture(fixture));
                Transformer model = new Transformer(checkpoint, backend); Sequence sequence = model.sequence(IDS.length)) {
            CapturedFile.write(model, IDS, file, METADATA);
            Path recording = folder.resolve("recording");
            ChildJvm.Result result = headscope("--replay", file.toString(), "--headless", "--frames",
                    folder.resolve("frames").toString(), "--record", recording.toString(), "--size", "700x450");
            assertEquals(0, result.status(), result.err());
            assertTrue(Files.exists(folder.resolve("frames/frame-000000.png")));
            LiveText shown = recorded(recording);
            assertEquals("text.safetensors", shown.source().model());
            assertEquals(Arrays.stream(IDS).mapToObj(id -> new Token(id, Integer.toString(id))).toList(), shown.tokens());
            model.forward(sequence, IDS, LayerHook.NONE);
            int heads = model.config().heads();
            for (Metric metric : WatchRequest.METRICS) {
                if (!model.config().causal() && metric instanceof Metric.NormalisedEntropy) {
                    continue; // of rows that see all tokens; measure knows it of causal maps only
                }
                float[] expected = new float[model.config().layers() * heads];
                for (int layer = 0; layer < model.config().layers(); layer++) {
                    double[][] values = backend.measure(List.of(metric), sequence.statistics(layer), model.attentionSpec(layer)).getFirst().of(metric);
                    for (int head = 0; head < heads; head++) {
                        expected[layer * heads + head] = (float) values[head][0];
                    }
                }
                assertArrayEquals(expected, shown.metric(metric.key()).orElseThrow(), Tolerance.fp32(expected), metric.key());
            }
        }
    }

    @Test
    void tokensAreNamedAsTheTapHasNamedThem() throws URISyntaxException {
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(fixture("gpt2"));
                Transformer model = new Transformer(checkpoint, backend)) {
            List<String> names = IntStream.of(IDS).mapToObj(id -> "A" + id).toList();
            CapturedFile.write(model, IDS, file, Map.of("format", "headscope-captured", "version", "1", "tokens", String.join("\0", names) + "\0"));
            Path recording = folder.resolve("recording");
            assertEquals(0, headscope("--replay", file.toString(), "--headless", "--record", recording.toString()).status());
            assertEquals(names, recorded(recording).tokens().stream().map(Token::name).toList());
            CapturedFile.write(model, IDS, file, Map.of("format", "headscope-captured", "version", "1", "tokens", "a\0b\0"));
            assertRefused("FILE: has 2 names of tokens for 9 ids", "--replay", file.toString());
        }
    }

    private void assertRefused(String message, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--headless", "--film", folder.resolve("none.png").toString()));
        ChildJvm.Result result = headscope(all.toArray(String[]::new));
        assertEquals(2, result.status(), result.toString());
        assertEquals("headscope: " + message + "\n", result.err().replace(file.toString(), "FILE"));
        assertTrue(Files.notExists(folder.resolve("none.png")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --speed 2 | --speed has no effect on a captured text, which is shown as a whole: leave it out
            --temperature 1 | --replay shows a captured text; --temperature has no effect on it: leave it out
            --max-new-tokens 3 | --replay shows a captured text; --max-new-tokens has no effect on it: leave it out
            --from 3  | --from has no effect on a captured text, which is shown as a whole: leave it out
            """)
    void optionsOfRecordingsAreRefused(String option, String message) throws URISyntaxException {
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(fixture("gpt2"));
                Transformer model = new Transformer(checkpoint, backend)) {
            CapturedFile.write(model, IDS, file, METADATA);
            String[] words = option.split(" ");
            assertRefused(message, "--replay", file.toString(), words[0], words[1]);
        }
    }

    /** Bytes of the file that lie: (tensor, index of an element of 8 bytes, value). */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            window | -5         | FILE: layer 0: cannot attend with scale 0.28867513, soft cap 0.0 and a window of -5 tokens, causal
            window | 4294967296 | FILE: tensor window: 4294967296 is out of range
            ids    | 4294967296 | FILE: tensor ids: 4294967296 is out of range
            """)
    void impossibleValuesAreRefused(String tensor, long value, String message) throws IOException, URISyntaxException {
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(fixture("gpt2"));
                Transformer opened = new Transformer(checkpoint, backend)) {
            CapturedFile.write(opened, IDS, file, METADATA);
        }
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int header = (int) buffer.getLong(0);
        String json = new String(bytes, Long.BYTES, header, StandardCharsets.UTF_8);
        Matcher begin = Pattern.compile("\"" + tensor + "\".*?\"data_offsets\":\\[(\\d+)").matcher(json);
        assertTrue(begin.find(), json);
        buffer.putLong(Long.BYTES + header + Integer.parseInt(begin.group(1)), value);
        Files.write(file, bytes);
        assertRefused(message, "--replay", file.toString());
    }

    @Test
    void otherFilesAreRefused() throws IOException, URISyntaxException {
        String model = "models/demo/model.safetensors";
        assertRefused(model + ": holds no captured queries and keys; write it with headscope_tap.save", "--replay", model);
        byte[] whole;
        try (Backend backend = Backend.open("cpu"); Checkpoint checkpoint = Checkpoint.open(fixture("gpt2"));
                Transformer opened = new Transformer(checkpoint, backend)) {
            whole = Files.readAllBytes(CapturedFile.write(opened, IDS, file, METADATA));
        }
        for (int length : new int[] {9, 200, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, length));
            ChildJvm.Result result = headscope("--replay", file.toString(), "--headless", "--film", folder.resolve("none.png").toString());
            assertEquals(2, result.status(), result.toString());
            assertEquals(1, result.err().lines().count(), result.err());
            assertTrue(result.err().startsWith("headscope: " + file + ": "), result.err());
        }
        Files.write(file, "HSFRAMED and more".getBytes());
        assertRefused("FILE: is not a recording of live --record", "--replay", file.toString());
        Files.write(file, new byte[0]);
        assertRefused("FILE: is not a recording of live --record", "--replay", file.toString());
    }
}
