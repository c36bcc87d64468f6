package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** What a forward pass computes in, reused by every layer and every text. Grows with the longest text, in rows. */
final class Activations implements AutoCloseable {
    private final ModelConfig config;
    private final Backend backend;
    private final List<Buffer> buffers = new ArrayList<>();
    private int room;
    private int tokens;
    private Tensor residual;
    private Tensor normalised;
    private Tensor query;
    private Tensor heads;
    private Tensor branch;
    private Tensor up;
    private Tensor gate;
    private Tensor shares;
    private Tensor part;
    private Tensor logits;

    Activations(ModelConfig config, Backend backend) {
        this.config = config;
        this.backend = backend;
        logits = allocate(1, config.vocabulary());
    }

    /** Ready for a pass over so many tokens; earlier contents are lost if there was less room. */
    void resize(int tokens) {
        this.tokens = tokens;
        if (tokens <= room) {
            return;
        }
        close();
        room = tokens;
        residual = allocate(room, config.hidden());
        normalised = allocate(room, config.hidden());
        query = allocate(room, config.queryWidth());
        heads = allocate(room, config.queryWidth());
        branch = allocate(room, config.hidden());
        up = allocate(room, config.feedForward());
        gate = allocate(room, config.feedForward());
        shares = allocate(room, config.experts());
        part = allocate(config.experts() > 0 ? room : 0, config.hidden());
        logits = allocate(1, config.vocabulary());
    }

    private Tensor allocate(long rows, long width) {
        Tensor tensor = backend.allocate(DType.F32, rows, width);
        buffers.add(tensor.buffer());
        return tensor;
    }

    /** [tokens, hidden]. */
    Tensor residual() {
        return residual.rows(0, tokens);
    }

    /** [tokens, hidden]. */
    Tensor normalised() {
        return normalised.rows(0, tokens);
    }

    /** [tokens, heads * headDim]. */
    Tensor query() {
        return query.rows(0, tokens);
    }

    /** [tokens, heads * headDim]. */
    Tensor heads() {
        return heads.rows(0, tokens);
    }

    /** [tokens, hidden]. */
    Tensor branch() {
        return branch.rows(0, tokens);
    }

    /** [tokens, feedForward]. */
    Tensor up() {
        return up.rows(0, tokens);
    }

    /** [tokens, feedForward]. */
    Tensor gate() {
        return gate.rows(0, tokens);
    }

    /** Of a mixture: [tokens, experts]. */
    Tensor shares() {
        return shares.rows(0, tokens);
    }

    /** Of a mixture, one expert's output: [tokens, hidden]. */
    Tensor part() {
        return part.rows(0, tokens);
    }

    /** [rows, vocabulary]: one row in generation, all rows where they are asked for. */
    Tensor logits(int rows) {
        if (logits.size(0) < rows) {
            logits.buffer().close();
            logits = allocate(rows, config.vocabulary());
        }
        return logits.rows(0, rows);
    }

    @Override
    public void close() {
        buffers.forEach(Buffer::close);
        buffers.clear();
    }
}
