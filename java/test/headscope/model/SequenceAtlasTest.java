package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Tolerance;
import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSnapshot;
import headscope.backend.Devices;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a viewer reads of a sequence: the atlas, metrics and the newest row of all layers, and maps of single heads. */
class SequenceAtlasTest {
    private static final int[] IDS = {1, 17, 42, 5, 90, 33, 8, 17, 42, 61, 5, 2, 71};
    private static final AtlasSpec ATLAS = new AtlasSpec(5, AtlasSpec.Pooling.MAXIMUM);
    private static final Metric ENTROPY = new Metric.Entropy();

    /** Full attention, windows, soft caps and sinks. */
    static Stream<Arguments> models() {
        return Devices.ALL.stream().flatMap(device ->
                Stream.of("gpt2", "mistral-window", "gemma2", "gpt-oss").map(fixture -> Arguments.of(device, fixture)));
    }

    private static LoadedModel open(String device, String fixture) {
        return LoadedModel.open(Devices.open(device), Fixtures.folder(fixture));
    }

    /** A prompt, then token by token; cells are merged at the sixth and at the eleventh token. */
    private static void read(Transformer model, Sequence sequence, int prompt) {
        model.forward(sequence, Arrays.copyOf(IDS, prompt), LayerHook.NONE);
        for (int token = prompt; token < IDS.length; token++) {
            model.forward(sequence, new int[] {IDS[token]}, LayerHook.NONE);
        }
    }

    private static AttentionSnapshot snapshot(Transformer model, Sequence sequence, int head) {
        return model.backend().snapshot(
                new AttentionSnapshot.Request(List.of(ENTROPY), Optional.of(0), Optional.of(head)),
                sequence.statistics(), model.attentionSpec(0));
    }

    @ParameterizedTest
    @MethodSource("models")
    void cellsAreTheLargestProbabilitiesOfMaps(String device, String fixture) {
        try (LoadedModel loaded = open(device, fixture);
                Sequence sequence = loaded.model().sequence(16, Optional.of(ATLAS), true)) {
            Transformer model = loaded.model();
            read(model, sequence, 8);
            int heads = model.config().heads();
            int chosen = model.config().layers() * heads - 1;
            AttentionSnapshot snapshot = snapshot(model, sequence, chosen);
            assertEquals(4, snapshot.bin());
            List<Float> expected = new ArrayList<>();
            for (int head = 0; head <= chosen; head++) {
                expected.addAll(pooled(map(model, sequence, head / heads, head % heads)));
            }
            assertEquals(expected.size(), snapshot.cells().length);
            for (int i = 0; i < expected.size(); i++) {
                assertEquals(expected.get(i), snapshot.cells()[i], Tolerance.PROBABILITY, "cell " + i);
            }
            float[][] map = map(model, sequence, chosen / heads, chosen % heads);
            assertArrayEquals(map[IDS.length - 1], snapshot.head().orElseThrow().row(), Tolerance.PROBABILITY);
        }
    }

    /** In blocks of three rows. [tokens][tokens]. */
    private static float[][] map(Transformer model, Sequence sequence, int layer, int head) {
        float[][] map = new float[IDS.length][];
        for (int first = 0; first < IDS.length; first += 3) {
            int rows = Math.min(3, IDS.length - first);
            Tensor block = model.backend().allocate(DType.F32, rows, first + rows);
            model.attentionMap(block, sequence, layer, head, first);
            float[] values = model.backend().download(block);
            for (int row = 0; row < rows; row++) {
                float[] visible = Arrays.copyOfRange(values, row * (first + rows), (row + 1) * (first + rows));
                map[first + row] = Arrays.copyOf(visible, IDS.length);
            }
            block.buffer().close();
        }
        return map;
    }

    /** [4 rows of cells, 5], four tokens a cell. */
    private static List<Float> pooled(float[][] map) {
        Float[] cells = new Float[4 * 5];
        Arrays.fill(cells, 0f);
        for (int i = 0; i < map.length; i++) {
            for (int j = 0; j < map.length; j++) {
                cells[i / 4 * 5 + j / 4] = Math.max(cells[i / 4 * 5 + j / 4], map[i][j]);
            }
        }
        return List.of(cells);
    }

    @ParameterizedTest
    @MethodSource("models")
    void decodingGivesWhatOnePassGives(String device, String fixture) {
        try (LoadedModel loaded = open(device, fixture);
                Sequence decoded = loaded.model().sequence(16, Optional.of(ATLAS), false);
                Sequence whole = loaded.model().sequence(16, Optional.of(ATLAS), false)) {
            read(loaded.model(), decoded, 1);
            read(loaded.model(), whole, IDS.length);
            AttentionSnapshot expected = snapshot(loaded.model(), whole, 1);
            AttentionSnapshot actual = snapshot(loaded.model(), decoded, 1);
            assertArrayEquals(expected.cells(), actual.cells(), Tolerance.PROBABILITY);
            assertEquals(0, expected.head().orElseThrow().row().length);
            assertEquals(IDS.length, actual.head().orElseThrow().row().length);
            for (int head = 0; head < loaded.model().config().heads(); head++) {
                assertArrayEquals(expected.metrics().of(ENTROPY)[head], actual.metrics().of(ENTROPY)[head],
                        4 * Tolerance.PROBABILITY);
            }
        }
    }

    @Test
    void aHookReadsEveryLayerAsItComes() {
        try (LoadedModel loaded = open("cpu", "gpt2");
                Sequence sequence = loaded.model().sequence(16, Optional.of(ATLAS), false)) {
            Transformer model = loaded.model();
            List<AttentionSnapshot> layers = new ArrayList<>();
            model.forward(sequence, IDS, new LayerHook() {
                @Override
                public void attention(int layer, Attention attention) {
                    layers.add(model.backend().snapshot(
                            new AttentionSnapshot.Request(List.of(), Optional.of(0), Optional.empty()),
                            attention.statistics(), attention.spec()));
                }
            });
            float[] all = snapshot(model, sequence, 0).cells();
            int perLayer = all.length / model.config().layers();
            assertEquals(model.config().layers(), layers.size());
            for (int layer = 0; layer < layers.size(); layer++) {
                assertArrayEquals(Arrays.copyOfRange(all, layer * perLayer, (layer + 1) * perLayer),
                        layers.get(layer).cells());
            }
        }
    }

    @Test
    void mapsNeedKeptQueriesAndRowsOfTheText() {
        try (LoadedModel loaded = open("cpu", "gpt2");
                Sequence plain = loaded.model().sequence(16);
                Sequence kept = loaded.model().sequence(16, Optional.empty(), true);
                Sequence none = loaded.model().sequenceWithoutStatistics(16)) {
            Transformer model = loaded.model();
            read(model, plain, IDS.length);
            read(model, kept, IDS.length);
            Tensor rows = loaded.backend().allocate(DType.F32, 2, 13);
            assertTrue(assertThrows(IllegalStateException.class, () -> model.attentionMap(rows, plain, 0, 0, 11))
                    .getMessage().contains("does not keep queries"));
            for (int first : new int[] {-1, 12}) {
                assertThrows(IllegalArgumentException.class, () -> model.attentionMap(rows, kept, 0, 0, first));
            }
            model.attentionMap(rows, kept, 0, 0, 11);
            assertThrows(IllegalStateException.class, none::statistics);
            rows.buffer().close();
        }
    }
}
