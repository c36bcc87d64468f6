package headscope.model;

import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** One text on its way through a model: keys and values of every layer, and what was observed of its attention. */
public final class Sequence implements AutoCloseable {
    private final int capacity;
    private final List<Tensor> keys = new ArrayList<>();
    private final List<Tensor> values = new ArrayList<>();
    private final List<AttentionStatistics> statistics = new ArrayList<>();
    private int tokens;

    /** @param capacity the most tokens that it can hold */
    Sequence(ModelConfig config, Backend backend, int capacity) {
        this.capacity = capacity;
        for (int layer = 0; layer < config.layers(); layer++) {
            keys.add(backend.allocate(DType.F32, capacity, config.keyWidth()));
            values.add(backend.allocate(DType.F32, capacity, config.keyWidth()));
            statistics.add(new AttentionStatistics(backend, config.heads(), capacity));
        }
    }

    public int capacity() {
        return capacity;
    }

    /** Tokens that have gone through the model. */
    public int tokens() {
        return tokens;
    }

    public AttentionStatistics statistics(int layer) {
        return statistics.get(layer);
    }

    /** [capacity, kvHeads * headDim]. */
    Tensor keys(int layer) {
        return keys.get(layer);
    }

    /** As {@link #keys}. */
    Tensor values(int layer) {
        return values.get(layer);
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
