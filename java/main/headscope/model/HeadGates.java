package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Factors on head outputs before the output projection: one set per text of a batch. */
public final class HeadGates implements AutoCloseable {
    /** [layers, texts, heads]. */
    private final Tensor factors;
    private final int[] fromTokens;

    /**
     * The factors of one text.
     *
     * @param fromToken first token of the text whose head outputs are multiplied; earlier tokens are unchanged
     * @param factors   [layers * heads]
     */
    public record OfText(int fromToken, float[] factors) {
        public OfText {
            if (fromToken < 0) {
                throw new IllegalArgumentException("gates from token %d; expected 0 or more".formatted(fromToken));
            }
        }
    }

    /** @throws IllegalArgumentException if a text has not one factor per head of the model */
    public HeadGates(Transformer model, List<OfText> texts) {
        Backend backend = model.backend();
        int layers = model.config().layers();
        int heads = model.config().heads();
        float[] values = new float[layers * texts.size() * heads];
        for (int text = 0; text < texts.size(); text++) {
            float[] ofText = texts.get(text).factors();
            if (ofText.length != layers * heads) {
                throw new IllegalArgumentException(
                        "%d gates; expected %d layers * %d heads".formatted(ofText.length, layers, heads));
            }
            for (int layer = 0; layer < layers; layer++) {
                System.arraycopy(ofText, layer * heads, values, (layer * texts.size() + text) * heads, heads);
            }
        }
        this.fromTokens = texts.stream().mapToInt(OfText::fromToken).toArray();
        this.factors = backend.allocate(DType.F32, layers, texts.size(), heads);
        backend.upload(factors, MemorySegment.ofArray(values));
    }

    int texts() {
        return fromTokens.length;
    }

    /** A layer's factors [texts, heads]. */
    Tensor factors(int layer) {
        return factors.rows(layer, 1).as(factors.size(1), factors.size(2));
    }

    int fromToken(int text) {
        return fromTokens[text];
    }

    @Override
    public void close() {
        factors.buffer().close();
    }
}
