package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.analysis.DemoRuns;
import headscope.analysis.HeadName;
import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.answers.Answering;
import headscope.analysis.spectra.SpectraRequest.PerSample;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.result.SampleTable;
import headscope.result.SpectraView;
import headscope.tensor.Safetensors;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Values of tokens are the terms of the metrics of their texts. */
class PerTokenTest {
    private static final int TEXTS = 14;
    private static final int LAYERS = 12;
    private static final int HEADS = 12;
    private static final int K = 5;
    private static final List<HeadName> CHOSEN = List.of(new HeadName(11, 9), new HeadName(0, 3), new HeadName(11, 0));

    @TempDir
    private static Path reference;

    @TempDir
    private Path folder;

    @BeforeAll
    static void run() {
        finish(request(reference.resolve("run"), CHOSEN, false));
    }

    private static SpectraRequest request(Path out, List<HeadName> heads, boolean resume) {
        return new SpectraRequest(
                DemoRuns.request(out, resume), "data/qa.jsonl", K, PerSample.MEAN,
                Answering.DEFAULT.withMaxNewTokens(2), TEXTS, false, SpectraRequest.metrics(K, SpectraRequest.METRICS), SpectraView.PUBLISHED.drawn(),
                SpectraView.PUBLISHED, false, new PerToken(List.of(PerToken.Value.values()), heads));
    }

    private static SpectraSummary finish(SpectraRequest request) {
        return DemoRuns.finish(Spectra.open(request, InputStream.nullInputStream()), request.run().out(), spectra -> {
            spectra.observe(Progress.SILENT);
            return spectra.write(Progress.SILENT);
        });
    }

    /** The values of a text's tokens in one of the chosen heads. */
    private static double[] of(Safetensors tokens, String value, int text, int column) {
        long[] offsets = tokens.get("offsets").longs();
        int heads = (int) tokens.get("heads").shape()[0];
        float[] all = tokens.get(value).floats();
        return IntStream.range((int) offsets[text], (int) offsets[text + 1])
                .mapToDouble(row -> all[row * heads + column]).toArray();
    }

    @Test
    void theirMeansAreTheMetrics() {
        try (Safetensors tokens = Safetensors.open(reference.resolve("run/tokens.safetensors"));
                Safetensors values = Safetensors.open(reference.resolve("run/values.safetensors"))) {
            for (Metric metric : SpectraRequest.metrics(K, SpectraRequest.METRICS)) {
                if (metric instanceof Metric.Spectrum || metric instanceof Metric.SinkShare) {
                    continue;
                }
                float[] all = values.get(metric.key()).floats();
                for (int text = 0; text < TEXTS; text++) {
                    for (int column = 0; column < CHOSEN.size(); column++) {
                        double[] terms = of(tokens, metric.key(), text, column);
                        boolean fromTheSecond = metric instanceof Metric.PreviousToken || metric instanceof Metric.NormalisedEntropy;
                        assertEquals(fromTheSecond, Double.isNaN(terms[0]), metric.key());
                        double mean = Arrays.stream(terms).skip(fromTheSecond ? 1 : 0).average().orElseThrow();
                        float stored = all[head(text, column)];
                        assertEquals(stored, mean, Tolerance.fp32(new float[] {(float) Arrays.stream(terms).map(Math::abs)
                                .filter(term -> !Double.isNaN(term)).max().orElseThrow()}), metric.key());
                    }
                }
            }
        }
    }

    /** Sorted, they begin with the stored spectra, to the bit. Columns sum to the number of tokens. */
    @Test
    void eigenvaluesAreThoseOfTheSpectraInTheOrderOfTheTokens() {
        try (Safetensors tokens = Safetensors.open(reference.resolve("run/tokens.safetensors"));
                Safetensors values = Safetensors.open(reference.resolve("run/values.safetensors"))) {
            for (int text = 0; text < TEXTS; text++) {
                for (int column = 0; column < CHOSEN.size(); column++) {
                    for (String spectrum : List.of("laplacian", "attention_eigenvalues")) {
                        double[] sorted = Arrays.stream(of(tokens, spectrum, text, column)).map(value -> -value).sorted()
                                .map(value -> -value).limit(K).toArray();
                        float[] all = values.get(spectrum).floats();
                        int from = head(text, column) * K;
                        assertArrayEquals(IntStream.range(from, from + K).mapToDouble(i -> all[i]).toArray(), sorted);
                    }
                    double[] received = of(tokens, "column_sum", text, column);
                    assertEquals(received.length, Arrays.stream(received).sum(), 1e-4);
                    double[] laplacian = of(tokens, "laplacian", text, column);
                    double[] self = of(tokens, "self_attention", text, column);
                    assertEquals(0, laplacian[laplacian.length - 1], 1e-6);
                    assertEquals(received[1] / (received.length - 1) - self[1], laplacian[1], 1e-6);
                }
            }
        }
    }

    private static int head(int text, int column) {
        return (text * LAYERS + CHOSEN.get(column).layer()) * HEADS + CHOSEN.get(column).head();
    }

    @Test
    void theTableHasARowPerToken() throws IOException {
        List<String> rows = Files.readAllLines(reference.resolve("run/tokens.csv"));
        assertEquals("text,position,id,token,name", rows.getFirst());
        List<SampleTable.Sample> samples = SampleTable.read(reference.resolve("run/samples.csv")).samples();
        try (Safetensors tokens = Safetensors.open(reference.resolve("run/tokens.safetensors"))) {
            long[] offsets = tokens.get("offsets").longs();
            long[] ids = tokens.get("ids").longs();
            assertEquals(samples.stream().mapToInt(SampleTable.Sample::tokens).sum(), ids.length);
            assertEquals(ids.length, rows.size() - 1);
            for (int text = 0; text < TEXTS; text++) {
                assertEquals(samples.get(text).tokens(), offsets[text + 1] - offsets[text]);
                int first = (int) offsets[text];
                assertTrue(rows.get(1 + first).startsWith("%d,0,%d,".formatted(text, ids[first])), rows.get(1 + first));
            }
            assertArrayEquals(new long[] {11, 9, 0, 3, 11, 0}, tokens.get("heads").longs());
            assertArrayEquals(IntStream.range(0, TEXTS).asLongStream().toArray(), tokens.get("text").longs());
        }
    }

    @Test
    void resumesWithTheSameBytes() throws IOException {
        Path out = folder.resolve("run");
        try (Spectra spectra = Spectra.open(request(out, CHOSEN, false), InputStream.nullInputStream())) {
            DemoRuns.interrupt(4, spectra::observe);
        }
        DemoRuns.assertNotResumed(out, "settings.per_token.heads",
                () -> finish(request(out, CHOSEN.subList(0, 2), true)));
        finish(request(out, CHOSEN, true));
        DemoRuns.assertSameFiles(reference.resolve("run"), out);
    }

    @Test
    void allHeadsComeInTheirOrder() {
        Path out = folder.resolve("run");
        finish(request(out, List.of(), false));
        try (Safetensors all = Safetensors.open(out.resolve("tokens.safetensors"));
                Safetensors some = Safetensors.open(reference.resolve("run/tokens.safetensors"))) {
            assertEquals(LAYERS * HEADS, all.get("heads").shape()[0]);
            assertArrayEquals(of(some, "entropy", 3, 0), of(all, "entropy", 3, 11 * HEADS + 9));
        }
    }

    /** On every device, as on the CPU. */
    @Test
    void devicesAgree() {
        PerToken all = new PerToken(List.of(PerToken.Value.values()), CHOSEN);
        List<float[]> expected = measure("cpu", all);
        for (String device : Devices.ALL) {
            List<float[]> actual = measure(device, all);
            for (int value = 0; value < expected.size(); value++) {
                float largest = 1;
                for (float of : expected.get(value)) {
                    largest = Float.isNaN(of) ? largest : Math.max(largest, Math.abs(of));
                }
                assertArrayEquals(expected.get(value), actual.get(value), Tolerance.PROBABILITY * largest,
                        device + ", " + all.values().get(value).key());
            }
        }
    }

    private static List<float[]> measure(String device, PerToken request) {
        int[] ids = {1, 189, 40, 7, 200, 12, 5};
        try (Backend backend = Devices.open(device); Checkpoint checkpoint = Checkpoint.open(DemoRuns.MODEL);
                Transformer model = new Transformer(checkpoint, backend); Sequence sequence = model.sequence(16)) {
            model.forward(sequence, ids, LayerHook.NONE);
            TokenValues tokens = TokenValues.of(request, request.heads(), ids.length);
            for (int layer = 0; layer < LAYERS; layer++) {
                tokens.measure(layer, backend, sequence.statistics(layer), model.attentionSpec(layer));
            }
            return tokens.values();
        }
    }

    private static String rejection(String values, String heads) {
        return assertThrows(InputException.class,
                () -> PerToken.parse(Optional.ofNullable(values), Optional.ofNullable(heads))).getMessage();
    }

    @Test
    void rejectsWhatHasNoValuePerToken() {
        String known = "; tokens have attention_score, laplacian, attention_eigenvalues, entropy, normalised_entropy,"
                + " mean_distance, previous_token, self_attention, confidence, column_sum";
        assertEquals("--per-token: sink_share has no value per token" + known, rejection("entropy,sink-share", "all"));
        assertEquals("--per-token: unknown metric \"beauty\"" + known, rejection("beauty", "all"));
        assertEquals("--per-token needs --heads L.H,... or --heads all", rejection("entropy", null));
        assertEquals("--heads has an effect only with --per-token METRIC,...", rejection(null, "0.1"));
        assertTrue(rejection("entropy", "first").startsWith("--heads: \"first\" is not a head"));
        Path out = folder.resolve("run");
        DemoRuns.assertRejected("--heads: there is no head 12.0; the model has 12 layers of 12 heads, counted from 0", out,
                () -> finish(request(out, List.of(new HeadName(12, 0)), false)));
        assertFalse(Files.exists(out));
    }
}
