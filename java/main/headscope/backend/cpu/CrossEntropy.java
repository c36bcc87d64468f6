package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/** Cross entropy of one row of logits, and its gradient in place. */
final class CrossEntropy {
    /** Elements summed in fp32 before they are added to an fp64 sum: vocabularies are too long for fp32 alone. */
    private static final int BLOCK = 1024;

    private CrossEntropy() {}

    /**
     * Replaces words logits from index row on by factor * (softmax - one-hot of the target).
     *
     * @return - log softmax at the target, in nats
     */
    static float row(MemorySegment logits, long row, int words, int target, float factor) {
        float own = logits.getAtIndex(JAVA_FLOAT, row + target);
        float peak = peak(logits, row, words);
        double total = 0;
        for (int first = 0; first < words; first += BLOCK) {
            total += exponentiate(logits, row + first, Math.min(BLOCK, words - first), peak);
        }
        scale(logits, row, words, (float) (factor / total));
        logits.setAtIndex(JAVA_FLOAT, row + target, logits.getAtIndex(JAVA_FLOAT, row + target) - factor);
        return (float) (Math.log(total) + peak - own);
    }

    private static float peak(MemorySegment logits, long row, int words) {
        FloatVector peaks = FloatVector.broadcast(Simd.FLOATS, Float.NEGATIVE_INFINITY);
        for (int word = 0; word < words; word += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(word, words);
            peaks = peaks.lanewise(VectorOperators.MAX, Simd.load(logits, row + word, inside), inside);
        }
        return peaks.reduceLanes(VectorOperators.MAX);
    }

    /** Replaces logits by exp(logit - peak) and returns the sum. */
    private static float exponentiate(MemorySegment logits, long first, int count, float peak) {
        FloatVector sums = FloatVector.zero(Simd.FLOATS);
        for (int word = 0; word < count; word += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(word, count);
            FloatVector exponentials = VectorMath.exp(Simd.load(logits, first + word, inside).sub(peak));
            Simd.store(exponentials, logits, first + word, inside);
            sums = sums.add(exponentials, inside);
        }
        return VectorMath.sum(sums);
    }

    private static void scale(MemorySegment logits, long row, int words, float factor) {
        for (int word = 0; word < words; word += Simd.WIDTH) {
            VectorMask<Float> inside = Simd.inside(word, words);
            Simd.store(Simd.load(logits, row + word, inside).mul(factor), logits, row + word, inside);
        }
    }
}
