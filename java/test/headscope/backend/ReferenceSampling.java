package headscope.backend;

import static headscope.backend.Reference.doubles;
import static headscope.backend.Reference.get;
import static headscope.backend.Reference.set;

import headscope.tensor.Tensor;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The largest of a row of logits: the next word [rows, words], or the experts of a token [tokens, experts]. */
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

    /** See {@link Backend#route}. */
    static void route(Tensor logits, int chosen) {
        int experts = logits.intSize(1);
        for (int token = 0; token < logits.size(0); token++) {
            double[] row = doubles(logits.rows(token, 1));
            int[] order = sorted(logits, token);
            double total = 0;
            for (int n = 0; n < chosen; n++) {
                total += Math.exp(row[order[n]] - row[order[0]]);
            }
            for (int n = 0; n < experts; n++) {
                double share = n < chosen ? Math.exp(row[order[n]] - row[order[0]]) / total : 0;
                set(logits, (long) token * experts + order[n], share);
            }
        }
    }
}
