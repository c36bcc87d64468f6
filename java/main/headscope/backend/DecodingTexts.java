package headscope.backend;

import headscope.tensor.Tensor;
import java.util.List;

/**
 * Texts that are continued together, one token at a time, and described only on the device. A decoding step begins with
 * {@link #advance} and ends with {@link #argmax} or {@link #draw}, which choose the tokens that the next step reads. Its
 * operations are therefore the same for every token, and can be recorded once.
 *
 * <p>The operations of a step take {@link #packing}, which stands for the texts on the device.
 *
 * <p>A step can be launched before the host knows the tokens that it reads, and whether they end a text. Its rows of attention
 * are therefore added to the column sums and to the sums over rows only at the beginning of the next step, or by
 * {@link #addRows}: until then, the statistics of a text that has ended do not contain them.
 */
public interface DecodingTexts extends AutoCloseable {
    /**
     * The capacity.
     *
     * @param texts number of texts, exactly
     * @param pages maximum number of pages of a text
     * @param draws maximum number of steps that draw tokens
     */
    record Size(int texts, int pages, int draws) {
        /** Maximum number of tokens of a text. */
        public int tokens() {
            return pages * PageTable.TOKENS;
        }
    }

    /**
     * A text before a step.
     *
     * @param slot  in the statistics
     * @param keys  number of tokens that the model has read
     * @param token the next token that it reads
     * @param pages of the text
     * @param marks of the next tokens that are drawn, as in {@link Backend#draw}; empty if none are
     */
    record Text(int slot, int keys, int token, int[] pages, double[] marks) {}

    Size size();

    /**
     * Replaces the texts, in one upload. The rows of the last step have been added.
     *
     * @param texts exactly {@link Size#texts}
     */
    void set(List<Text> texts);

    /** Begins a step: adds the rows of the step before to the statistics; then each text has one more token. */
    void advance();

    /** Adds the rows of the last step to the statistics. {@link #set} follows before another step. */
    void addRows();

    /** One new token of each text; the numbers of keys are the capacity. */
    Packing packing();

    /** destination [texts, width] = the rows of table [words, width] of the tokens that the step reads. */
    void embedTokens(Tensor destination, Tensor table);

    /** destination [texts, width] = the rows of table [positions, width] of these tokens' positions. */
    void embedPositions(Tensor destination, Tensor table);

    /** Chooses the next tokens from logits [texts, words]: see {@link Backend#argmax}. */
    void argmax(Tensor logits);

    /** Draws the next tokens from logits [texts, words], with the next marks: see {@link Backend#draw}. */
    void draw(Tensor logits, double temperature, double topP);

    /** Starts to download the tokens that the last step chooses, which the next one reads. That may begin meanwhile. */
    void send();

    /** The tokens that were sent last. Waits for them. */
    int[] tokens();

    /**
     * Records operations instead of running them; {@code operations} may be called twice. Their kernels must have run
     * before on this device, and the tensors that they use must stay open as long as the recording. Counts on the host,
     * such as those of {@link AttentionStatistics}, are not recorded.
     */
    Recording record(Runnable operations);

    /** Recordings that use these texts must have been closed. */
    @Override
    void close();
}
