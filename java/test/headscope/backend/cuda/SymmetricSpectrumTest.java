package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Seed;
import headscope.backend.AttentionSpec;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches of heads, limited by the batch size or by device memory. */
class SymmetricSpectrumTest {
    private static final int HEADS = 7;
    private static final int TOKENS = 20;
    private static final AttentionSpec SPEC = AttentionSpec.plain(HEADS, 1, 4, true);

    private static double[][] spectra(long memory, long piece) {
        try (EmulatedDevice device = new EmulatedDevice(memory)) {
            Kernels kernels = new Kernels(device);
            Random random = Seed.random();
            Tensor q = tensor(device, kernels, random, HEADS * 4);
            Tensor k = tensor(device, kernels, random, 4);
            double[][] spectra = new SymmetricSpectrum(device, kernels, q, k, SPEC).ofHeads(piece);
            q.buffer().close();
            k.buffer().close();
            assertEquals(0, kernels.memory.liveBytes());
            return spectra;
        }
    }

    private static Tensor tensor(Device device, Kernels kernels, Random random, int width) {
        float[] values = new float[TOKENS * width];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Tensor tensor = kernels.tensor(DType.F32, TOKENS, width);
        device.upload(tensor.bytes(), MemorySegment.ofArray(values));
        return tensor;
    }

    private static long bytesOfHeads(int heads) {
        try (EmulatedDevice device = new EmulatedDevice(0)) {
            return heads * SymmetricMatrices.bytes(device, TOKENS);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 6})
    void fewerHeadsAtOnceGiveTheSameBits(int heads) {
        double[][] expected = spectra(Long.MAX_VALUE, Long.MAX_VALUE);
        assertArrayEquals(expected, spectra(Long.MAX_VALUE, bytesOfHeads(heads)));
        long operands = (long) TOKENS * (HEADS + 1) * 4 * Float.BYTES;
        assertArrayEquals(expected, spectra(operands + bytesOfHeads(Math.max(1, heads)), Long.MAX_VALUE));
    }
}
