package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** What a backward pass computes in, fp32, reused by every layer: each the gradient of its namesake. */
final class Adjoints implements AutoCloseable {
    private final Backend backend;
    private final List<GrowableTensor> rooms = new ArrayList<>();

    /** [hidden], as are all but the named. */
    final GrowableTensor residual;
    /** Of what attention or feed-forward takes in. */
    final GrowableTensor input;
    /** A further part of it. */
    final GrowableTensor addend;
    final GrowableTensor branch;
    /** [heads * headDim], as is query. */
    final GrowableTensor heads;
    final GrowableTensor query;
    /** [kvHeads * headDim], as is value. */
    final GrowableTensor key;
    final GrowableTensor value;
    /** [heads]; a row is a text. */
    final GrowableTensor gates;
    /** [feedForward], as is gate. */
    final GrowableTensor up;
    final GrowableTensor gate;
    /** Of a mixture: [experts], and of one expert's input. */
    final GrowableTensor shares;
    final GrowableTensor part;
    /** A row is one that logits were asked of. */
    final GrowableTensor picked;
    /** Not a gradient: the logits again, [vocabulary]. */
    final GrowableTensor logits;

    Adjoints(ModelConfig config, Backend backend) {
        this.backend = backend;
        residual = room(config.hidden());
        input = room(config.hidden());
        addend = room(config.hidden());
        branch = room(config.hidden());
        heads = room(config.queryWidth());
        query = room(config.queryWidth());
        key = room(config.keyWidth());
        value = room(config.keyWidth());
        gates = room(config.heads());
        up = room(config.feedForward());
        gate = room(config.feedForward());
        shares = room(config.experts());
        part = room(config.hidden());
        picked = room(config.hidden());
        logits = room(config.vocabulary());
    }

    private GrowableTensor room(long width) {
        GrowableTensor room = new GrowableTensor(backend, DType.F32, width);
        rooms.add(room);
        return room;
    }

    /** All memory is given back; rooms grow again. */
    void clear() {
        rooms.forEach(GrowableTensor::clear);
    }

    @Override
    public void close() {
        rooms.forEach(GrowableTensor::close);
    }
}
