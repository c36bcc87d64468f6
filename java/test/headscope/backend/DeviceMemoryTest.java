package headscope.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.backend.cpu.CpuBackend;
import headscope.backend.cuda.EmulatedDevice;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations that run out of device memory, and checks for infinities and NaN. */
class DeviceMemoryTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 64})
    void piecesCoverEveryEntryOnceAndInOrder(int room) {
        List<Integer> done = new ArrayList<>();
        SplitOnOutOfMemory.run(65, (first, count) -> {
            if (count > room) {
                throw new DeviceMemoryException("a device", count, room, room);
            }
            IntStream.range(first, first + count).forEach(done::add);
        });
        assertEquals(IntStream.range(0, 65).boxed().toList(), done);
    }

    @Test
    void throwsIfOneEntryDoesNotFit() {
        assertThrows(DeviceMemoryException.class, () -> SplitOnOutOfMemory.run(5, (first, count) -> {
            throw new DeviceMemoryException("a device", count, 0, 0);
        }));
        SplitOnOutOfMemory.run(0, (first, count) -> {
            throw new AssertionError("nothing to do");
        });
    }

    /** There is memory for the operands, the statistics and the workspace of two of six heads. */
    @Test
    void spectraAreSplitWhenOutOfMemory() {
        int heads = 6;
        int tokens = 100;
        Metric spectrum = Metric.all(tokens).stream().filter(Metric.Spectrum.class::isInstance).findFirst().orElseThrow();
        double[][] expected = spectra(Long.MAX_VALUE, heads, tokens, spectrum);
        long operands = 2L * tokens * heads * 16 * Float.BYTES + (long) heads * (tokens * (7 * Float.BYTES + Double.BYTES) + 7 * Double.BYTES);
        double[][] actual = spectra(operands + 2L * 2 * tokens * Double.BYTES, heads, tokens, spectrum);
        for (int head = 0; head < heads; head++) {
            assertArrayEquals(expected[head], actual[head]);
        }
    }

    private static double[][] spectra(long memory, int heads, int tokens, Metric spectrum) {
        AttentionSpec spec = AttentionSpec.plain(heads, heads, 16, true);
        try (Backend backend = Devices.emulated(memory);
                TensorScope on = new TensorScope(backend)) {
            Random random = Seed.random("spectra");
            float[] q = Inputs.NORMAL.values(random, tokens, heads * 16);
            Tensor queries = on.tensor(q, tokens, heads * 16L);
            Tensor keys = on.tensor(q, tokens, heads * 16L);
            AttentionStatistics statistics = on.statistics(heads, tokens);
            backend.attentionStatistics(queries, keys,
                    Packing.of(queries.intSize(0), keys.intSize(0)), spec, statistics);
            return backend.measure(List.of(spectrum), statistics, spec).getFirst().of(spectrum);
        }
    }

    /** It would hide the overflow if the row became the bias. */
    @ParameterizedTest
    @ValueSource(ints = {3, 8, 96})
    void aVarianceThatOverflowsGivesNan(int width) {
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                float[] x = new float[width];
                x[1] = 1e25f;
                Tensor row = on.tensor(x, 1, width);
                backend.layerNorm(row, row, on.tensor(new float[width], width), on.tensor(new float[width], width), 1e-5f);
                for (float element : backend.download(row)) {
                    assertTrue(Float.isNaN(element), device);
                }
            }
        }
    }

    @Test
    void whatDoesNotFitAsAWholeLeavesNothing() {
        int tokens = 10;
        try (Backend backend = Devices.emulated(5L * tokens * Float.BYTES)) {
            assertThrows(DeviceMemoryException.class,
                    () -> new AttentionSaliency(backend, 2, tokens, AttentionSaliency.Request.vectors(tokens)));
            assertEquals(0, backend.liveBytes());
        }
    }

    @Test
    void aQuarterOfFreeMemoryIsKept() {
        long gib = 1L << 30;
        try (Backend backend = Devices.emulated(20 * gib); TensorScope on = new TensorScope(backend)) {
            on.allocate(DType.F32, 1 << 20);
            assertEquals(5 * gib - (1 << 20), backend.keepableBytes());
        }
        try (Backend small = Devices.emulated(gib)) {
            assertEquals(gib, small.keepableBytes());
        }
    }

    /** There is memory for the operands, the statistics and the temporary rows of one key head. */
    @Test
    void cellsAreSplitWhenOutOfMemory() {
        int tokens = 70;
        int side = 9;
        long operands = (long) tokens * (6 + 3) * 16 * Float.BYTES;
        long statistics = 6L * (tokens * (7 * Float.BYTES + Double.BYTES) + 7 * Double.BYTES + 2 * Float.BYTES
                + side * side * Float.BYTES);
        long ofKeyHead = 2L * tokens * side * Float.BYTES;
        float[] expected = cells(Long.MAX_VALUE, tokens, side);
        assertArrayEquals(expected, cells(operands + statistics + ofKeyHead, tokens, side));
        assertThrows(DeviceMemoryException.class, () -> cells(operands + statistics, tokens, side));
    }

    private static float[] cells(long memory, int tokens, int side) {
        AttentionSpec spec = AttentionSpec.plain(6, 3, 16, true);
        try (Backend backend = Devices.emulated(memory);
                TensorScope on = new TensorScope(backend)) {
            Random random = Seed.random("cells");
            Tensor q = on.tensor(Inputs.NORMAL.values(random, tokens, 6 * 16), tokens, 6 * 16);
            Tensor k = on.tensor(Inputs.NORMAL.values(random, tokens, 3 * 16), tokens, 3 * 16);
            AttentionStatistics statistics = on.statistics(
                    6, tokens, Optional.of(new AtlasSpec(side, AtlasSpec.Pooling.MEAN)));
            backend.attentionStatistics(q, k, Packing.of(q.intSize(0), k.intSize(0)), spec, statistics);
            return backend.snapshot(
                    new AttentionSnapshot.Request(List.of(), Optional.of(0), Optional.empty()), statistics, spec).cells();
        }
    }

    @Test
    void messageStatesTheMemory() {
        try (Backend backend = EmulatedDevice.open(DType.F32, 1 << 20)) {
            assertEquals("emulated CUDA: 2.0 MiB of memory are needed, 1.0 of 1.0 MiB are free;"
                            + " use shorter texts, --dtype bf16 or --device cpu",
                    assertThrows(DeviceMemoryException.class, () -> backend.allocate(DType.F32, 1 << 19)).getMessage());
            assertEquals(0, backend.liveBytes());
        }
    }

    /** Column sums accumulate over calls: a NaN remains. */
    @ParameterizedTest
    @ValueSource(strings = {"cpu", Devices.EMULATED})
    void checkReadsColumnSums(String device) {
        Backend unchecked = device.equals("cpu") ? new CpuBackend(1) : EmulatedDevice.open(DType.F32);
        try (Backend backend = new CheckedBackend(unchecked, true); TensorScope on = new TensorScope(backend)) {
            AttentionSpec spec = AttentionSpec.plain(1, 1, 2, true);
            Tensor x = on.tensor(new float[] {1, 2, 3, 4}, 2, 2);
            AttentionStatistics statistics = on.statistics(1, 3);
            backend.attentionStatistics(x.rows(0, 1), x.rows(0, 1), Packing.of(1, 1), spec, statistics);
            assertArrayEquals(new double[] {1, 0, 0}, Reference.downloadDoubles(backend, statistics.columnSum));
            backend.upload(statistics.columnSum, MemorySegment.ofArray(new double[] {Double.NaN, 0, 0}));
            assertEquals("attentionStatistics: element 0 of its result F64[1, 3] is NaN",
                    assertThrows(DeviceException.class, () -> backend.attentionStatistics(x.rows(1, 1), x,
                            Packing.of(1, x.intSize(0)), spec, statistics))
                            .getMessage());
        }
    }

    /** The message names the operation that computed the value, not one that reads it. */
    @ParameterizedTest
    @ValueSource(strings = {"cpu", Devices.EMULATED})
    void checkNamesTheOperationWhoseResultIsNotFinite(String device) {
        Backend unchecked = device.equals("cpu") ? new CpuBackend(1) : EmulatedDevice.open(DType.F32);
        try (Backend backend = new CheckedBackend(unchecked, true); TensorScope on = new TensorScope(backend)) {
            Tensor x = on.tensor(new float[] {1, 3e38f}, 1, 2);
            Tensor weight = on.tensor(new float[] {1, 2}, 1, 2);
            backend.add(on.tensor(new float[] {1, 2}, 2), on.tensor(new float[] {1, 2}, 2));
            String message = assertThrows(DeviceException.class,
                    () -> backend.linear(on.unwritten(1, 1), x, weight, Optional.empty())).getMessage();
            assertEquals("linear: element 0 of its result F32[1, 1] is Infinity", message);
            assertTrue(assertThrows(DeviceException.class, () -> backend.scale(x, Float.NaN)).getMessage()
                    .startsWith("scale: element 0 of its result F32[1, 2] is NaN"));
        }
    }
}
