package headscope.result.frame;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.OptionalInt;

/**
 * What all frames of one stream have in common.
 *
 * @param model        name of the model, for people
 * @param device       where it runs, in one line
 * @param causal       whether a token attends to itself and earlier tokens only
 * @param metrics      what each frame holds of every head
 * @param side         P: the atlas has P x P cells per head
 * @param pooling      how the probabilities of one cell are combined: {@code maximum} or {@code mean}
 * @param maxNewTokens limit of new tokens after a prompt; 0 if the stream has none
 * @param maxTokens    limit of the tokens of a text with its prompt; 0 if unknown
 * @param recorded     whether a recording is played, in which viewers can move; not part of the file
 */
public record FrameSource(
        String model, String device, int layers, int heads, boolean causal, List<MeasuredMetric> metrics, int side,
        String pooling, int maxNewTokens, int maxTokens, @JsonIgnore boolean recorded) {
    /**
     * A metric with one value per head.
     *
     * @param key  its name on the command line and in files
     * @param unit empty if dimensionless
     */
    public record MeasuredMetric(String key, String unit) {}

    /** Of a model that runs, whose longest text is not known. */
    public FrameSource(
            String model, String device, int layers, int heads, boolean causal, List<MeasuredMetric> metrics, int side,
            String pooling, int maxNewTokens) {
        this(model, device, layers, heads, causal, metrics, side, pooling, maxNewTokens, 0, false);
    }

    public FrameSource {
        metrics = List.copyOf(metrics);
        if (layers < 1 || heads < 1 || side < 1 || maxNewTokens < 0 || maxTokens < 0) {
            throw new IllegalArgumentException("%d layers x %d heads, %d cells a side, %d new tokens, %d tokens"
                    .formatted(layers, heads, side, maxNewTokens, maxTokens));
        }
    }

    /** The same stream, played from a recording. */
    public FrameSource asRecorded() {
        return new FrameSource(model, device, layers, heads, causal, metrics, side, pooling, maxNewTokens, maxTokens, true);
    }

    /** The most tokens that a text can have after a prompt of this length; empty if that is not known. */
    public OptionalInt limit(int promptTokens) {
        long asked = (long) promptTokens + maxNewTokens;
        return maxNewTokens == 0 ? OptionalInt.empty()
                : OptionalInt.of((int) Math.min(asked, maxTokens == 0 ? Integer.MAX_VALUE : maxTokens));
    }

    /** Whether the model has such a head. */
    public boolean has(int layer, int head) {
        return layer >= 0 && layer < layers && head >= 0 && head < heads;
    }
}
