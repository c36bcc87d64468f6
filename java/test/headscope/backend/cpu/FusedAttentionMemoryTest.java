package headscope.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Temporary memory of attention is O(tokens). */
class FusedAttentionMemoryTest {
    private static final int HEADS = 2;
    private static final int HEAD_DIM = 4;

    /** @param step number of tokens per call */
    private static long scratchBytes(int tokens, int step) {
        try (Workers workers = new Workers(2);
                FusedAttention attention = new FusedAttention(workers);
                Backend backend = Backend.open("cpu");
                AttentionStatistics statistics = new AttentionStatistics(backend, HEADS, tokens)) {
            long arguments = backend.liveBytes();
            Tensor q = backend.allocate(DType.F32, tokens, HEADS * HEAD_DIM);
            for (int first = 0; first < tokens; first += step) {
                attention.run(new FusedAttention.Call(
                        AttentionSpec.plain(HEADS, HEADS, HEAD_DIM, true), Packing.of(step, first + step),
                        q.rows(first, step), q.rows(0, first + step),
                        Optional.of(q.rows(0, first + step)), Optional.of(q.rows(first, step)),
                        Optional.of(statistics), Optional.empty()));
            }
            q.buffer().close();
            assertEquals(arguments, backend.liveBytes());
            return attention.scratchBytes();
        }
    }

    @Test
    void prefillNeedsOneBlockOfRowsPerWorker() {
        int tokens = 16 * 1024;
        long bytes = scratchBytes(tokens, tokens);
        // Blocks of 16 rows of two workers, and column sums of 4 stripes.
        long blocks = 2L * 16 * (tokens + 64) * Float.BYTES;
        long sums = 4L * HEADS * tokens * Double.BYTES;
        // Memory grows by doubling, and earlier segments stay allocated.
        assertTrue(bytes <= 4 * (blocks + sums), tokens + " tokens took " + bytes);
        assertTrue(bytes < (long) tokens * tokens * Float.BYTES / 50, tokens + " tokens took " + bytes);
    }

    /** Decoding does not allocate memory per token. */
    @Test
    void decodingNeedsNoMoreThanPrefill() {
        int tokens = 2048;
        assertTrue(scratchBytes(tokens, 1) <= 2 * scratchBytes(tokens, tokens));
    }

    @Test
    void liveBytesAreThoseOfOpenBuffers() {
        try (Backend backend = Backend.open("cpu")) {
            Buffer floats = backend.allocate(DType.F32, 3, 5).buffer();
            Buffer doubles = backend.allocate(DType.F64, 7).buffer();
            assertEquals(60 + 56, backend.liveBytes());
            floats.close();
            floats.close();
            assertEquals(56, backend.liveBytes());
            doubles.close();
            assertEquals(0, backend.liveBytes());
        }
    }
}
