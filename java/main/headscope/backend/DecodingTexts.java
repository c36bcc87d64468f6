package headscope.backend;

import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * Texts that are continued together, a token each at a time, described on the device alone. A decoding step begins with
 * {@link #advance} and ends with {@link #argmax} or {@link #draw}, which choose the tokens that the next step reads. So
 * its operations are the same for every token, and can be recorded once.
 *
 * <p>The operations of a step take {@link #packing}, which stands for the texts as they are on the device.
 */
public interface DecodingTexts extends AutoCloseable {
    /**
     * For how many texts and tokens there is room.
     *
     * @param texts exact number of texts
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
     * Replaces the texts, in one upload.
     *
     * @param texts as many as there is room for
     */
    void set(List<Text> texts, Optional<AttentionStatistics> statistics);

    /** Begins a step: each text has one more token. */
    void advance();

    /** One new token of each text; its numbers of keys are the room for them. */
    Packing packing();

    /** destination [texts, width] = the rows of table [words, width] of the tokens that the step reads. */
    void embedTokens(Tensor destination, Tensor table);

    /** destination [texts, width] = the rows of table [positions, width] of these tokens' positions. */
    void embedPositions(Tensor destination, Tensor table);

    /** Chooses the next tokens from logits [texts, words]: see {@link Backend#argmax}. */
    void argmax(Tensor logits);

    /** Draws the next tokens from logits [texts, words], with the next marks: see {@link Backend#draw}. */
    void draw(Tensor logits, double temperature, double topP);

    /** The tokens that the last step chose, which the next one reads. Waits for them. */
    int[] tokens();

    /**
     * Records operations instead of running them; the work may be called twice. Their kernels have run before on this
     * device. Tensors that they use must stay open as long as the recording; counts on the host, such as those of
     * {@link AttentionStatistics}, are not recorded.
     */
    Recording record(Runnable operations);

    /** Recordings that use these texts must have been closed. */
    @Override
    void close();
}
