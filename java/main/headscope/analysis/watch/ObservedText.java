package headscope.analysis.watch;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.result.frame.Frame.Token;
import headscope.tensor.Tensor;
import java.util.List;

/** A growing text whose attention is collected on a device: that of a model here, or in another process. */
interface ObservedText {
    Backend backend();

    int layers();

    /** Per layer. */
    int heads();

    boolean causal();

    /** Of the heads of all layers, layer by layer, as of the last complete pass; with an atlas. */
    AttentionStatistics statistics();

    /** Of the heads of one layer. */
    AttentionStatistics statistics(int layer);

    AttentionSpec attentionSpec(int layer);

    /** Called with a head whose attention is not finite, in words. @throws RuntimeException unless it is to be shown */
    void overflow(String head);

    /** destination [rows, firstRow + rows] = consecutive rows of one head's map; a bidirectional map is computed at once. */
    void attentionMap(Tensor destination, int layer, int head, int firstRow);

    /** The tokens from the first position up to, but without, the last one. */
    List<Token> tokens(int first, int end);
}
