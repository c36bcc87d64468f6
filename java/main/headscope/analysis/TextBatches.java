package headscope.analysis;

import headscope.backend.Backend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Divides texts into batches that pass through a model together. The batches depend on the texts and on this limit alone,
 * so that a resumed run has those of the interrupted one.
 *
 * @param tokens maximum number of tokens of a batch; a longer text is a batch of its own
 */
public record TextBatches(int tokens) {
    /** By measurement: more tokens are not faster. */
    public static final int ON_CPU = 2048;

    /** Large enough to fill a GPU; where its memory is too small, a batch is halved. */
    public static final int ON_GPU = 16_384;

    /** Batches whose texts are sorted together. */
    private static final int WINDOW = 16;

    static TextBatches of(RunRequest request, Backend backend) {
        return new TextBatches(request.batchTokens().orElse(backend.isGpu() ? ON_GPU : ON_CPU));
    }

    /**
     * Batches of texts of similar length: neighbours in the file, sorted by length.
     *
     * @param texts  indices, ascending
     * @param length number of tokens of a text
     */
    public List<int[]> of(int[] texts, IntUnaryOperator length) {
        List<int[]> batches = new ArrayList<>();
        for (int[] window : cut(texts, length, (long) WINDOW * tokens)) {
            int[] sorted = Arrays.stream(window).boxed()
                    .sorted(Comparator.comparingInt(length::applyAsInt))
                    .mapToInt(Integer::intValue)
                    .toArray();
            batches.addAll(cut(sorted, length, tokens));
        }
        return batches;
    }

    /** Parts of at most this many tokens, or of one text; in order. */
    private static List<int[]> cut(int[] texts, IntUnaryOperator length, long tokens) {
        List<int[]> parts = new ArrayList<>();
        int first = 0;
        long sum = 0;
        for (int i = 0; i < texts.length; i++) {
            int next = length.applyAsInt(texts[i]);
            if (i > first && sum + next > tokens) {
                parts.add(Arrays.copyOfRange(texts, first, i));
                first = i;
                sum = 0;
            }
            sum += next;
        }
        if (first < texts.length) {
            parts.add(Arrays.copyOfRange(texts, first, texts.length));
        }
        return parts;
    }
}
