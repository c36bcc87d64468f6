package headscope.analysis.watch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import headscope.Tolerance;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.result.tapped.TappedAttention;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Statistics of queries and keys that come in messages equal those of the pass that they are taken from. */
class TappedTextTest {
    private static final int[] PROMPT = {1, 17, 42, 5, 90, 33, 8, 61, 29, 77, 3, 54};
    private static final int[] NEXT = {12, 88, 7};

    /** Rows of a layer that one message holds, so that a pass takes several. */
    private static final int ROWS = 5;

    private static Path folder(String fixture) {
        try {
            return Path.of(TappedTextTest.class.getResource("/headscope/fixtures/" + fixture).toURI());
        } catch (URISyntaxException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** What a tap would hand over of passes of our own model. */
    private static final class Recorder implements LayerHook {
        final List<TappedAttention> messages = new ArrayList<>();
        private final Backend backend;

        Recorder(Backend backend) {
            this.backend = backend;
        }

        @Override
        public void attention(int layer, Attention attention) {
            AttentionSpec spec = attention.spec();
            int queries = attention.query().intSize(0);
            int end = attention.key().intSize(0);
            float[] sinks = spec.sinks().map(backend::download).orElse(new float[0]);
            for (int from = 0; from < queries; from += ROWS) {
                int count = Math.min(ROWS, queries - from);
                int first = end - queries + from;
                messages.add(new TappedAttention(
                        1, layer, first, count, end, spec.heads(), spec.kvHeads(), spec.headDim(), spec.scale(),
                        spec.causal(), spec.window(), spec.softCap(), sinks, DType.F32,
                        bytes(attention.query().rows(from, count)), bytes(attention.key().rows(first, count)), 0));
            }
        }

        private MemorySegment bytes(Tensor tensor) {
            return MemorySegment.ofArray(backend.download(tensor));
        }
    }

    private static List<double[][]> measured(Backend backend, AttentionStatistics statistics, AttentionSpec spec) {
        List<Metric> metrics = new ArrayList<>(WatchRequest.METRICS);
        if (spec.causal()) {
            metrics.add(new Metric.LaplacianEigenvalues(Metric.ALL));
        } else {
            metrics.removeIf(metric -> metric instanceof Metric.NormalisedEntropy);
        }
        LayerResult result = backend.measure(metrics, statistics, spec).getFirst();
        return metrics.stream().map(result::of).toList();
    }

    static Stream<Arguments> fixturesOnDevices() {
        return Devices.ALL.stream().flatMap(device -> Stream.of("gpt2", "llama", "mistral-window", "gemma2", "gpt-oss", "bert")
                .map(fixture -> Arguments.of(device, fixture)));
    }

    @ParameterizedTest
    @MethodSource("fixturesOnDevices")
    void statisticsEqualThoseOfThePass(String device, String fixture) {
        try (Backend backend = Devices.open(device); Checkpoint checkpoint = Checkpoint.open(folder(fixture));
                Transformer model = new Transformer(checkpoint, backend); Sequence sequence = model.sequence(64);
                TappedText text = new TappedText(backend, model.config().layers(), 64, Optional.empty())) {
            Recorder recorder = new Recorder(backend);
            model.forward(sequence, PROMPT, recorder);
            if (model.config().causal()) {
                for (int token : NEXT) {
                    model.forward(sequence, new int[] {token}, recorder);
                }
            }
            List<List<Integer>> calls = new ArrayList<>();
            recorder.messages.forEach(message -> text.append(message, new LayerHook() {
                @Override
                public void attention(int layer, Attention attention) {
                    calls.add(List.of(layer, attention.query().intSize(0), attention.key().intSize(0)));
                }
            }));
            assertEquals(Optional.empty(), text.ignored());
            assertEquals(sequence.tokens(), text.tokens());
            assertEquals(sequence.tokens(), text.statistics().tokens());
            assertEquals(passes(model.config().layers(), model.config().causal()), calls);
            for (int layer = 0; layer < model.config().layers(); layer++) {
                List<double[][]> expected = measured(backend, sequence.statistics(layer), model.attentionSpec(layer));
                List<double[][]> actual = measured(backend, text.statistics(layer), text.attentionSpec(layer));
                for (int metric = 0; metric < expected.size(); metric++) {
                    for (int head = 0; head < model.config().heads(); head++) {
                        assertArrayEquals(expected.get(metric)[head], actual.get(metric)[head], Tolerance.PROBABILITY,
                                "metric %d of layer %d, head %d".formatted(metric, layer, head));
                    }
                }
            }
        }
    }

    private static List<List<Integer>> passes(int layers, boolean causal) {
        List<List<Integer>> calls = new ArrayList<>();
        for (int pass = 0; pass <= (causal ? NEXT.length : 0); pass++) {
            for (int layer = 0; layer < layers; layer++) {
                calls.add(List.of(layer, pass == 0 ? PROMPT.length : 1, PROMPT.length + pass));
            }
        }
        return calls;
    }

    /** One token of one layer with 2 heads of width 1: query i and key i are i. */
    private static TappedAttention row(int text, int layer, int position, DType dtype) {
        MemorySegment two = switch (dtype) {
            case F16 -> MemorySegment.ofArray(new short[] {Float.floatToFloat16(position), Float.floatToFloat16(position)});
            case BF16 -> MemorySegment.ofArray(new short[] {
                (short) (Float.floatToRawIntBits(position) >> 16), (short) (Float.floatToRawIntBits(position) >> 16)
            });
            default -> MemorySegment.ofArray(new float[] {position, position});
        };
        return new TappedAttention(
                text, layer, position, 1, position + 1, 2, 2, 1, 1, true, 0, 0, new float[0], dtype, two, two, 0);
    }

    @Test
    void halvesAreWidened() {
        try (Backend backend = Backend.open("cpu")) {
            List<float[]> sums = Stream.of(DType.F32, DType.F16, DType.BF16).map(dtype -> {
                try (TappedText text = new TappedText(backend, 1, 8, Optional.empty())) {
                    for (int i = 0; i < 6; i++) {
                        text.append(row(1, 0, i, dtype), LayerHook.NONE);
                    }
                    return backend.download(text.statistics(0).logSumExp);
                }
            }).toList();
            assertArrayEquals(sums.get(0), sums.get(1), "F16");
            assertArrayEquals(sums.get(0), sums.get(2), "BF16");
            assertEquals(0, backend.liveBytes());
        }
    }

    @Test
    void textsWithMissingRowsAreIgnoredUntilTheNext() {
        try (Backend backend = Backend.open("cpu"); TappedText text = new TappedText(backend, 2, 4, Optional.empty())) {
            assertEquals("waiting for the next text", text.ignored().orElseThrow());
            text.append(row(1, 0, 3, DType.F32), LayerHook.NONE);
            assertEquals("waiting for the next text: the first 3 tokens of this one were missed", text.ignored().orElseThrow());

            text.append(row(2, 0, 0, DType.F32), LayerHook.NONE);
            text.append(row(2, 1, 0, DType.F32), LayerHook.NONE);
            text.append(row(2, 0, 1, DType.F32), LayerHook.NONE);
            assertEquals(Optional.empty(), text.ignored());
            assertEquals(1, text.tokens(), "the second layer has read one token");
            text.append(row(2, 1, 2, DType.F32), LayerHook.NONE);
            assertEquals("waiting for the next text: tokens from 1 on are missing in layer 1", text.ignored().orElseThrow());
            text.append(row(2, 0, 2, DType.F32), LayerHook.NONE);
            assertFalse(text.ignored().isEmpty(), "later rows of the same text");

            for (int i = 0; i < 4; i++) {
                text.append(row(3, 0, i, DType.F32), LayerHook.NONE);
                text.append(row(3, 1, i, DType.F32), LayerHook.NONE);
            }
            assertEquals(Optional.empty(), text.ignored());
            assertEquals(List.of(3, 4), List.of(text.text(), text.tokens()));
            text.append(row(3, 0, 4, DType.F32), LayerHook.NONE);
            assertEquals("waiting for the next text: this one has more than 4 tokens (--max-tokens)", text.ignored().orElseThrow());

            text.clear();
            text.append(row(3, 0, 0, DType.F32), LayerHook.NONE);
            assertEquals(Optional.empty(), text.ignored(), "the first text after a restart");
        }
    }

    @Test
    void aNewTextMayHaveAnotherShape() {
        try (Backend backend = Backend.open("cpu")) {
            try (TappedText text = new TappedText(backend, 1, 4, Optional.empty())) {
                text.append(row(1, 0, 0, DType.F32), LayerHook.NONE);
                MemorySegment three = MemorySegment.ofArray(new float[3]);
                TappedAttention wider = new TappedAttention(
                        2, 0, 0, 1, 1, 3, 3, 1, 0.5f, true, 2, 1, new float[] {1, 2, 3}, DType.F32, three, three, 0);
                text.append(wider, LayerHook.NONE);
                assertEquals(3, text.attentionSpec(0).heads());
                assertEquals(Optional.empty(), text.ignored());
                text.append(row(2, 0, 1, DType.F32), LayerHook.NONE);
                assertEquals("waiting for the next text: layer 0 has 2 heads, earlier ones have another number",
                        text.ignored().orElseThrow());
            }
            assertEquals(0, backend.liveBytes());
        }
    }
}
