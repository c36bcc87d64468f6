package headscope.analysis;

import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.function.BiConsumer;

/**
 * What a model predicts after tokens of a pass, a few rows at a time: a row of logits is as long as the vocabulary.
 *
 * @param hidden output of the last layer [rows, hidden]
 */
public record Predictions(Transformer model, Tensor hidden) {
    /** Maximum number of elements of logits at a time, 256 MiB. */
    private static final int ELEMENTS = 1 << 26;

    /** For each of these rows, the most probable next token. */
    public int[] argmax(int[] rows) {
        int[] tokens = new int[rows.length];
        logits(rows, (first, logits) ->
                System.arraycopy(model.backend().argmax(logits), 0, tokens, first, logits.intSize(0)));
        return tokens;
    }

    /**
     * For each of these rows, the negative log-likelihood of a next token, in nats.
     *
     * @param targets one per row
     */
    public float[] nll(int[] rows, int[] targets) {
        float[] nll = new float[rows.length];
        logits(rows, (first, logits) -> {
            int count = logits.intSize(0);
            float[] some = model.backend().gradients().crossEntropy(
                    logits, Arrays.copyOfRange(targets, first, first + count), new float[count]);
            System.arraycopy(some, 0, nll, first, count);
        });
        return nll;
    }

    /** @param consumer receives the index of the first row and the logits of the following ones */
    private void logits(int[] rows, BiConsumer<Integer, Tensor> consumer) {
        int most = Math.max(1, ELEMENTS / model.config().vocabulary().size());
        for (int first = 0; first < rows.length; first += most) {
            int end = Math.min(rows.length, first + most);
            consumer.accept(first, model.logits(hidden, Arrays.copyOfRange(rows, first, end)));
        }
    }
}
