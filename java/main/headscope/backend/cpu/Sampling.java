package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The next word from one row of logits, given by the index of its first element. */
final class Sampling {
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
        double[] weights = new double[words];
        double total = 0;
        for (int word = 0; word < words; word++) {
            weights[word] = Math.exp((logits.getAtIndex(JAVA_FLOAT, row + word) - largest) / temperature);
            total += weights[word];
        }
        int[] sorted = IntStream.range(0, words).boxed()
                .sorted(Comparator.comparingDouble(word -> -logits.getAtIndex(JAVA_FLOAT, row + word)))
                .mapToInt(Integer::intValue)
                .toArray();
        double kept = 0;
        int count = 0;
        while (count < words && kept < topP * total) {
            kept += weights[sorted[count++]];
        }
        double end = 0;
        for (int i = 0; i < count; i++) {
            end += weights[sorted[i]];
            if (end > mark * kept) {
                return sorted[i];
            }
        }
        return sorted[count - 1];
    }
}
