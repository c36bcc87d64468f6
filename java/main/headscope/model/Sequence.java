package headscope.model;

import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.tensor.Buffer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One text on its way through a model: keys and values of every layer, and what was observed of its attention. */
public final class Sequence implements AutoCloseable {
    private final Backend backend;
    private final int capacity;
    private final List<Tensor> keys = new ArrayList<>();
    private final List<Tensor> values = new ArrayList<>();
    private final List<AttentionStatistics> statistics = new ArrayList<>();
    private int tokens;

    /**
     * @param capacity the most tokens that it can hold
     * @param observed whether there are statistics
     */
    Sequence(ModelConfig config, Backend backend, int capacity, boolean observed) {
        this.backend = backend;
        this.capacity = capacity;
        for (int layer = 0; layer < config.layers(); layer++) {
            keys.add(backend.allocate(backend.operands(), capacity, config.keyWidth()));
            values.add(backend.allocate(backend.operands(), capacity, config.keyWidth()));
            if (observed) {
                statistics.add(new AttentionStatistics(backend, config.heads(), capacity));
            }
        }
    }

    public int capacity() {
        return capacity;
    }

    /** Tokens that have gone through the model. */
    public int tokens() {
        return tokens;
    }

    /** Of a layer's attention; none in a text that is not observed. */
    Optional<AttentionStatistics> observed(int layer) {
        return statistics.isEmpty() ? Optional.empty() : Optional.of(statistics.get(layer));
    }

    /** @throws IllegalStateException in a text that is not observed */
    public AttentionStatistics statistics(int layer) {
        return observed(layer).orElseThrow(() -> new IllegalStateException("this text is not observed"));
    }

    /** The new tokens' keys and values of a layer; {@link #grow} counts them once every layer has its own. */
    void append(int layer, Tensor k, Tensor v) {
        backend.convert(keys.get(layer).rows(tokens, k.size(0)), k);
        backend.convert(values.get(layer).rows(tokens, v.size(0)), v);
    }

    /** Of a layer, of so many tokens: [count, kvHeads * headDim], of the backend's operands. */
    Tensor keys(int layer, int count) {
        return keys.get(layer).rows(0, count);
    }

    /** As {@link #keys}. */
    Tensor values(int layer, int count) {
        return values.get(layer).rows(0, count);
    }

    void grow(int count) {
        tokens += count;
    }

    /** Empty again, for another text. */
    public void clear() {
        tokens = 0;
        statistics.forEach(AttentionStatistics::clear);
    }

    @Override
    public void close() {
        keys.stream().map(Tensor::buffer).forEach(Buffer::close);
        values.stream().map(Tensor::buffer).forEach(Buffer::close);
        statistics.forEach(AttentionStatistics::close);
    }
}
