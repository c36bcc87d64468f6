package headscope.backend;

import static headscope.backend.Reference.get;

import headscope.tensor.Tensor;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The next word from one row of logits [rows, words]. */
final class ReferenceSampling {
    private ReferenceSampling() {}

    /** Words in descending order of their logits, the first of equal ones first. */
    static int[] sorted(Tensor logits, int row) {
        long at = (long) row * logits.intSize(1);
        return IntStream.range(0, logits.intSize(1)).boxed()
                .sorted(Comparator.comparingDouble(word -> -get(logits, at + word)))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    static int draw(Tensor logits, int row, double temperature, double topP, double mark) {
        int[] words = sorted(logits, row);
        long at = (long) row * words.length;
        double[] ends = new double[words.length];
        for (int i = 0; i < words.length; i++) {
            double weight = Math.exp((get(logits, at + words[i]) - get(logits, at + words[0])) / temperature);
            ends[i] = weight + (i == 0 ? 0 : ends[i - 1]);
        }
        int last = 0;
        while (ends[last] < topP * ends[words.length - 1]) {
            last++;
        }
        int i = 0;
        while (ends[i] <= mark * ends[last]) {
            i++;
        }
        return words[i];
    }
}
