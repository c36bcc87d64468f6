package headscope.bench;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The usual implementation of attention statistics: the T x T maps of all heads in memory at once, computed by the same
 * sgemm as the fused implementation, then plain loops for softmax, diagonal and column sums. For causal attention without
 * windows, caps and sinks.
 */
final class MaterialisedAttention implements AutoCloseable {
    /** fp32 rounding of a score, a sum of headDim products, for scores below 16. */
    private static final double TOLERANCE = 0x1p-24 * AttentionStatisticsBenchmark.HEAD_DIM * 16;

    private final Backend backend;
    private final AttentionSpec spec;
    private final int tokens;
    private final Tensor query;
    private final Tensor key;
    private final Tensor maps;
    private final double[][] diagonal;
    private final double[][] columnSum;

    MaterialisedAttention(Backend backend, AttentionSpec spec, int tokens) {
        this.backend = backend;
        this.spec = spec;
        this.tokens = tokens;
        this.query = backend.allocate(DType.F32, tokens, spec.headDim());
        this.key = backend.allocate(DType.F32, tokens, spec.headDim());
        this.maps = backend.allocate(DType.F32, spec.heads(), tokens, tokens);
        this.diagonal = new double[spec.heads()][tokens];
        this.columnSum = new double[spec.heads()][tokens];
    }

    void observe(Tensor q, Tensor k) {
        for (int head = 0; head < spec.heads(); head++) {
            copyHead(query, q, head);
            copyHead(key, k, head);
            backend.linear(map(head), query, key, Optional.empty());
        }
        IntStream.range(0, spec.heads()).parallel().forEach(this::softmaxAndSums);
    }

    private Tensor map(int head) {
        return maps.rows(head, 1).as(tokens, tokens);
    }

    private void copyHead(Tensor destination, Tensor source, int head) {
        long bytes = (long) spec.headDim() * Float.BYTES;
        for (int token = 0; token < tokens; token++) {
            MemorySegment.copy(source.bytes(), (token * (long) spec.heads() + head) * bytes,
                    destination.bytes(), token * bytes, bytes);
        }
    }

    private void softmaxAndSums(int head) {
        MemorySegment map = map(head).bytes();
        double[] sums = columnSum[head];
        Arrays.fill(sums, 0);
        float[] probs = new float[tokens];
        for (int row = 0; row < tokens; row++) {
            long start = (long) row * tokens * Float.BYTES;
            MemorySegment.copy(map, JAVA_FLOAT, start, probs, 0, tokens);
            Arrays.fill(probs, row + 1, tokens, 0);
            softmax(probs, row + 1);
            MemorySegment.copy(probs, 0, map, JAVA_FLOAT, start, tokens);
            diagonal[head][row] = probs[row];
            for (int column = 0; column <= row; column++) {
                sums[column] += probs[column];
            }
        }
    }

    private void softmax(float[] scores, int length) {
        float peak = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < length; i++) {
            peak = Math.max(peak, scores[i]);
        }
        float total = 0;
        for (int i = 0; i < length; i++) {
            scores[i] = (float) Math.exp((scores[i] - peak) * spec.scale());
            total += scores[i];
        }
        for (int i = 0; i < length; i++) {
            scores[i] /= total;
        }
    }

    /** @throws IllegalStateException if a diagonal entry or a column sum differs by more than rounding */
    void requireSame(AttentionStatistics fused) {
        for (int head = 0; head < spec.heads(); head++) {
            for (int token = 0; token < tokens; token++) {
                long at = (long) head * fused.capacity() + token;
                require(diagonal[head][token], Math.exp(fused.logDiagonal.bytes().getAtIndex(JAVA_FLOAT, at)));
                require(columnSum[head][token], fused.columnSum.bytes().getAtIndex(JAVA_DOUBLE, at));
            }
        }
    }

    private static void require(double expected, double actual) {
        if (!(Math.abs(actual - expected) <= TOLERANCE * expected)) {
            throw new IllegalStateException("got %s, expected %s: not timed".formatted(actual, expected));
        }
    }

    @Override
    public void close() {
        query.buffer().close();
        key.buffer().close();
        maps.buffer().close();
    }
}
