package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.function.DoublePredicate;

/** The next word from one row of logits, given by the index of its first element. */
final class Sampling {
    private static final int BINS = 256;

    private Sampling() {}

    static int argmax(MemorySegment logits, long row, int words) {
        int best = 0;
        float largest = Float.NEGATIVE_INFINITY;
        for (int word = 0; word < words; word++) {
            float logit = logits.getAtIndex(JAVA_FLOAT, row + word);
            if (logit > largest) {
                largest = logit;
                best = word;
            }
        }
        return best;
    }

    static int draw(MemorySegment logits, long row, int words, double temperature, double topP, double mark) {
        float largest = logits.getAtIndex(JAVA_FLOAT, row + argmax(logits, row, words));
        int[] orders = new int[words];
        double[] weights = new double[words];
        double total = 0;
        for (int word = 0; word < words; word++) {
            float logit = logits.getAtIndex(JAVA_FLOAT, row + word);
            orders[word] = order(logit);
            weights[word] = Math.exp((logit - largest) / temperature);
            total += weights[word];
        }
        Ranking ranking = new Ranking(orders, weights);
        double least = topP * total;
        Ranking.Place last = ranking.first(cumulative -> cumulative >= least);
        double place = mark * last.cumulative();
        int drawn = ranking.first(cumulative -> cumulative > place).word();
        boolean kept = orders[drawn] > orders[last.word()] || orders[drawn] == orders[last.word()] && drawn <= last.word();
        return kept ? drawn : last.word();
    }

    /** An integer in the order of the floats; -0 counts as 0. */
    private static int order(float logit) {
        int bits = Float.floatToRawIntBits(logit == 0 ? 0 : logit);
        return bits < 0 ? bits ^ Integer.MAX_VALUE : bits;
    }

    /**
     * Words in descending order of their logits, the first of equal ones first. Finds a place by its cumulative weight
     * in four passes, one per byte of the order, because sorting a large vocabulary takes a hundred times as long.
     */
    private record Ranking(int[] orders, double[] weights) {
        /** @param cumulative weight of the word and all before it */
        record Place(int word, double cumulative) {}

        /** The first word whose cumulative weight satisfies a monotonic condition; the last word if none does. */
        Place first(DoublePredicate condition) {
            double above = 0;
            int prefix = 0;
            for (int shift = 24; shift >= 0; shift -= 8) {
                double[] sums = new double[BINS];
                int lowest = BINS - 1;
                for (int word = 0; word < orders.length; word++) {
                    int unsigned = orders[word] ^ Integer.MIN_VALUE;
                    if (shift == 24 || unsigned >>> shift + 8 == prefix) {
                        int bin = unsigned >>> shift & BINS - 1;
                        sums[bin] += weights[word];
                        lowest = Math.min(lowest, bin);
                    }
                }
                int bin = BINS - 1;
                while (bin > lowest && !condition.test(above + sums[bin])) {
                    above += sums[bin--];
                }
                prefix = prefix << 8 | bin;
            }
            int order = prefix ^ Integer.MIN_VALUE;
            int last = 0;
            for (int word = 0; word < orders.length; word++) {
                if (orders[word] == order) {
                    above += weights[word];
                    last = word;
                    if (condition.test(above)) {
                        break;
                    }
                }
            }
            return new Place(last, above);
        }
    }
}
