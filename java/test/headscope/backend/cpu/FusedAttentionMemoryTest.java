package headscope.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** No T x T map: what attention needs besides its arguments grows with T. */
class FusedAttentionMemoryTest {
    private static final int HEADS = 2;
    private static final int HEAD_DIM = 4;

    /** @param step tokens at a time */
    private static long scratchBytes(int tokens, int step) {
        try (Workers workers = new Workers(2);
                FusedAttention attention = new FusedAttention(workers);
                Backend backend = Backend.open("cpu");
                AttentionStatistics statistics = new AttentionStatistics(backend, HEADS, tokens)) {
            long arguments = backend.liveBytes();
            Tensor q = backend.allocate(DType.F32, tokens, HEADS * HEAD_DIM);
            for (int seen = 0; seen < tokens; seen += step) {
                attention.run(new FusedAttention.Call(
                        AttentionSpec.plain(HEADS, HEADS, HEAD_DIM, true), q.rows(seen, step), q.rows(0, seen + step),
                        Optional.of(q.rows(0, seen + step)), Optional.of(q.rows(seen, step)),
                        Optional.of(statistics), Optional.empty()));
            }
            q.buffer().close();
            assertEquals(arguments, backend.liveBytes());
            return attention.scratchBytes();
        }
    }

    @Test
    void prefillTakesMemoryOfOneBlockOfRows() {
        int tokens = 16 * 1024;
        long bytes = scratchBytes(tokens, tokens);
        // Two workers' blocks of 16 rows, 4 stripes of sums.
        long blocks = 2L * 16 * (tokens + 64) * Float.BYTES;
        long sums = 4L * HEADS * tokens * Double.BYTES;
        // What grew is at most twice as large as it need be, and left its smaller selves behind.
        assertTrue(bytes <= 4 * (blocks + sums), tokens + " tokens took " + bytes);
        assertTrue(bytes < (long) tokens * tokens * Float.BYTES / 50, tokens + " tokens took " + bytes);
    }

    /** A text that grows by a token leaves nothing behind for each. */
    @Test
    void decodingTakesNoMoreThanPrefill() {
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
