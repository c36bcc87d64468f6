package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;

/** Factors on head outputs before the output projection: one set per text of a batch, 1 by default. */
public final class HeadGates implements AutoCloseable {
    private static final int NO_TOKEN = Integer.MAX_VALUE;

    private final Backend backend;
    private final Tensor factors;
    private final int[] fromTokens;

    public HeadGates(Transformer model, int texts) {
        this.backend = model.backend();
        this.factors = backend.allocate(DType.F32, texts, model.config().layers(), model.config().heads());
        this.fromTokens = new int[texts];
        Arrays.fill(fromTokens, NO_TOKEN);
    }

    /**
     * @param fromToken first token of the text whose head outputs are multiplied; earlier tokens are unchanged
     * @param values    [layers * heads]
     */
    public void set(int text, int fromToken, float[] values) {
        if (fromToken < 0 || values.length != factors.size(1) * factors.size(2)) {
            throw new IllegalArgumentException("%d gates from token %d; expected %d layers * %d heads, from token >= 0"
                    .formatted(values.length, fromToken, factors.size(1), factors.size(2)));
        }
        backend.upload(factors.rows(text, 1), MemorySegment.ofArray(values));
        fromTokens[text] = fromToken;
    }

    int texts() {
        return fromTokens.length;
    }

    /** A layer's factors [heads] for a text, if set. */
    Optional<Tensor> factors(int text, int layer) {
        return fromTokens[text] == NO_TOKEN
                ? Optional.empty()
                : Optional.of(factors.rows(text, 1).as(factors.size(1), factors.size(2))
                        .rows(layer, 1).as(factors.size(2)));
    }

    /** First token that a text's factors multiply, at most count; 0 if no factors are set. */
    int fromToken(int text, int count) {
        return fromTokens[text] == NO_TOKEN ? 0 : Math.min(fromTokens[text], count);
    }

    @Override
    public void close() {
        factors.buffer().close();
    }
}
