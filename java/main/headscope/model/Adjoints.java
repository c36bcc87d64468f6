package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** What a backward pass computes in, fp32, reused by every layer: each the gradient of its namesake. */
final class Adjoints implements AutoCloseable {
    private final Backend backend;
    private final List<Room> rooms = new ArrayList<>();

    /** [hidden], as are all but the named. */
    final Room residual;
    /** Of what attention or feed-forward takes in. */
    final Room input;
    /** A further part of it. */
    final Room addend;
    final Room branch;
    /** [heads * headDim], as is query. */
    final Room heads;
    final Room query;
    /** [kvHeads * headDim], as is value. */
    final Room key;
    final Room value;
    /** [heads]; a row is a text. */
    final Room gates;
    /** [feedForward], as is gate. */
    final Room up;
    final Room gate;
    /** Of a mixture: [experts], and of one expert's input. */
    final Room shares;
    final Room part;
    /** A row is one that logits were asked of. */
    final Room picked;
    /** Not a gradient: the logits again, [vocabulary]. */
    final Room logits;

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

    private Room room(long width) {
        Room room = new Room(backend, DType.F32, width);
        rooms.add(room);
        return room;
    }

    /** All memory is given back; rooms grow again. */
    void clear() {
        rooms.forEach(Room::clear);
    }

    @Override
    public void close() {
        rooms.forEach(Room::close);
    }
}
