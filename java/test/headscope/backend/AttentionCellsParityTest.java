package headscope.backend;

import static headscope.backend.Agreement.same;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Tolerance;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention maps pooled to cells, on every backend and in closed form. */
class AttentionCellsParityTest {
    /** One cell, three cells, which are mostly uneven, and one cell per pair of tokens. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void agrees(AttentionCase one) {
        for (int cells : new int[] {1, Math.min(3, one.tokens()), one.tokens()}) {
            PooledMaps expected = PooledMaps.reference(one, cells);
            for (String device : Devices.ALL) {
                try (Backend backend = Devices.open(device)) {
                    expected.compare(device, PooledMaps.pool(backend, one, cells));
                    assertEquals(0, backend.liveBytes());
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#few")
    void agreesIn16Bits(AttentionCase any) {
        for (DType type : List.of(DType.BF16, DType.F16)) {
            AttentionCase one = any.of(type);
            int cells = Math.min(one.tokens(), 3);
            try (Backend backend = Devices.emulated(type)) {
                PooledMaps.reference(one, cells).compare(type.name(), PooledMaps.pool(backend, one, cells));
                assertEquals(0, backend.liveBytes());
            }
        }
    }

    /** Workers share a long text by stripes of rows, which must not divide a row of cells. */
    @ParameterizedTest
    @ValueSource(ints = {0, 100})
    void agreesOnLongTexts(int window) {
        AttentionCase one = new AttentionCase(1100, 2, 1, 16, true, window, 0, true, Inputs.NORMAL);
        PooledMaps expected = PooledMaps.reference(one, 7);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device)) {
                expected.compare(device, PooledMaps.pool(backend, one, 7));
            }
        }
    }

    /** Seven tokens in cells of 3, 2 and 2; all scores are 0, as is the sink's. */
    @Test
    void uniformAttention() {
        double[][] causal = {
            {1, 0, 0, 1 / 4., 1 / 4., 0, 1 / 6., 1 / 6., 1 / 6.},
            {1 / 3., 0, 0, 9 / 40., 13 / 80., 0, 13 / 84., 13 / 84., 19 / 168.}
        };
        double[] seventh = new double[9];
        double[] eighth = new double[9];
        Arrays.fill(seventh, 1 / 7.);
        Arrays.fill(eighth, 1 / 8.);
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                uniform(on, AttentionSpec.plain(1, 1, 2, true), causal);
                uniform(on, AttentionSpec.plain(1, 1, 2, false), new double[][] {seventh, seventh});
                Tensor sink = on.tensor(new float[1], 1);
                uniform(on, new AttentionSpec(1, 1, 2, 1, false, 0, 0, Optional.of(sink)),
                        new double[][] {eighth, eighth});
            }
        }
    }

    /** @param expected maximum and mean */
    private static void uniform(TensorScope on, AttentionSpec spec, double[][] expected) {
        Tensor zeros = on.tensor(new float[14], 7, 2);
        Tensor maximum = on.unwritten(1, 3, 3);
        Tensor mean = on.unwritten(1, 3, 3);
        on.backend.attentionCells(maximum, mean, zeros, zeros, spec);
        float[][] actual = {on.backend.download(maximum), on.backend.download(mean)};
        for (int pooling = 0; pooling < 2; pooling++) {
            for (int cell = 0; cell < 9; cell++) {
                double value = expected[pooling][cell];
                assertEquals(value, actual[pooling][cell], Tolerance.sum(14, value),
                        on.backend.describe() + " cell " + cell);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 130, 600})
    void bitsDoNotDependOnWorkersOrRuns(int tokens) {
        AttentionCase one = new AttentionCase(tokens, 3, 1, 16, true, 0, 0, true, Inputs.NORMAL);
        PooledMaps expected;
        try (Backend backend = new CheckedBackend(new CpuBackend(1))) {
            expected = PooledMaps.pool(backend, one, 7);
        }
        for (int workers = 1; workers <= 3; workers++) {
            try (Backend backend = new CheckedBackend(new CpuBackend(workers))) {
                for (int run = 0; run < 2; run++) {
                    PooledMaps actual = PooledMaps.pool(backend, one, 7);
                    same(workers + " workers: maximum of cells", expected.maximum(), actual.maximum());
                    same(workers + " workers: mean of cells", expected.mean(), actual.mean());
                }
            }
        }
    }
}
