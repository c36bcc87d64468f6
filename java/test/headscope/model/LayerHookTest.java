package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.backend.AttentionStatistics;
import headscope.backend.Devices;
import headscope.backend.TextRows;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The calls that a hook receives from each kind of forward pass. */
class LayerHookTest {
    private static final int[] PROMPT = {1, 17, 42, 5, 90, 33, 8};

    /** One call: the method, the layer, and the rows of queries, keys and statistics. */
    private record Call(String method, int layer, long queries, long keys, int rows) {}

    private static final class Recorder implements LayerHook {
        final List<Call> calls = new ArrayList<>();

        @Override
        public void attention(int layer, Attention attention) {
            calls.add(new Call("attention", layer, attention.query().size(0), attention.key().size(0),
                    attention.statistics().tokens()));
        }

        @Override
        public void headOutputs(int layer, Tensor heads) {
            calls.add(headCall(layer, heads.size(0)));
        }
    }

    private static Call headCall(int layer, long rows) {
        return new Call("headOutputs", layer, rows, 0, 0);
    }

    private static List<Call> headCalls(Transformer model, long rows) {
        return IntStream.range(0, model.config().layers()).mapToObj(layer -> headCall(layer, rows)).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "gemma3"})
    void generatingCallsOncePerLayerAndToken(String fixture) {
        try (LoadedModel loaded = LoadedModel.open(fixture); Sequence sequence = loaded.model().sequence(64)) {
            Recorder recorder = new Recorder();
            new Generator(loaded.model(), Sampler.GREEDY, 3)
                    .generate(sequence, PROMPT, new Random(1), recorder, tokens -> false);
            List<Call> expected = new ArrayList<>();
            for (int pass = 0; pass < 3; pass++) {
                int queries = pass == 0 ? PROMPT.length : 1;
                int keys = PROMPT.length + pass;
                for (int layer = 0; layer < loaded.model().config().layers(); layer++) {
                    expected.add(new Call("attention", layer, queries, keys, keys));
                    expected.add(headCall(layer, queries));
                }
            }
            assertEquals(expected, recorder.calls);
        }
    }

    @Test
    void sequencesWithoutStatisticsCallHeadOutputsOnly() {
        try (LoadedModel loaded = LoadedModel.open("gpt2");
                Sequence sequence = loaded.model().sequenceWithoutStatistics(64)) {
            Recorder recorder = new Recorder();
            loaded.model().forward(sequence, PROMPT, recorder);
            assertEquals(headCalls(loaded.model(), PROMPT.length), recorder.calls);
        }
    }

    @Test
    void batchesCallHeadOutputsOfAllTextsAtOnce() {
        try (LoadedModel loaded = LoadedModel.open("gpt2")) {
            Recorder recorder = new Recorder();
            Batch batch = new Batch(List.of(PROMPT, new int[] {3, 2, 1}));
            loaded.model().forward(batch, Optional.empty(), recorder).close();
            assertEquals(headCalls(loaded.model(), PROMPT.length + 3), recorder.calls);
        }
    }

    /** Statistics of one layer at a time, whose rows are those of each text. */
    @Test
    void observedBatchesCallBoth() {
        try (LoadedModel loaded = LoadedModel.open("gpt2")) {
            List<Call> calls = new ArrayList<>();
            List<AttentionStatistics> all = new ArrayList<>();
            Batch batch = new Batch(List.of(PROMPT, new int[] {3, 2, 1}));
            loaded.model().observe(batch, new LayerHook() {
                @Override
                public void attention(int layer, Attention attention) {
                    all.add(attention.statistics());
                    for (int text = 0; text < batch.texts().size(); text++) {
                        TextRows rows = new TextRows(attention.packing(), text);
                        calls.add(new Call("attention", layer, rows.queries(attention.query()).size(0),
                                rows.keys(attention.key()).size(0), rows.statistics(attention.statistics()).tokens()));
                    }
                }

                @Override
                public void headOutputs(int layer, Tensor heads) {
                    calls.add(headCall(layer, heads.size(0)));
                }
            });
            List<Call> expected = new ArrayList<>();
            for (int layer = 0; layer < loaded.model().config().layers(); layer++) {
                expected.add(new Call("attention", layer, PROMPT.length, PROMPT.length, PROMPT.length));
                expected.add(new Call("attention", layer, 3, 3, 3));
                expected.add(headCall(layer, PROMPT.length + 3));
            }
            assertEquals(expected, calls);
            assertEquals(1, all.stream().distinct().count(), "every layer uses the same memory");
        }
    }

    /** In 16 bits, only hooks that say so, and gates, receive head outputs that are not rounded. */
    @Test
    void headOutputsAreRoundedUnlessTheyAreRead() {
        try (LoadedModel loaded = LoadedModel.open(Devices.emulated(DType.BF16), Fixtures.folder("gpt2"))) {
            assertEquals(DType.BF16, headOutputs(loaded.model(), false, Optional.empty()));
            assertEquals(DType.F32, headOutputs(loaded.model(), true, Optional.empty()));
            float[] open = new float[loaded.model().config().layers() * loaded.model().config().heads()];
            Arrays.fill(open, 1);
            try (HeadGates gates = new HeadGates(loaded.model(), List.of(new HeadGates.OfText(0, open)))) {
                assertEquals(DType.F32, headOutputs(loaded.model(), false, Optional.of(gates)));
            }
        }
    }

    private static DType headOutputs(Transformer model, boolean reads, Optional<HeadGates> gates) {
        List<DType> types = new ArrayList<>();
        model.read(new Batch(List.of(PROMPT)), gates, new LayerHook() {
            @Override
            public boolean readsHeadOutputs() {
                return reads;
            }

            @Override
            public void headOutputs(int layer, Tensor heads) {
                types.add(heads.dtype());
            }
        });
        assertEquals(model.config().layers(), types.size());
        return types.getFirst();
    }
}
