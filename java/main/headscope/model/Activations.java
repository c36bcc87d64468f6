package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** What a forward pass computes in, fp32, reused by every layer and every text. A row is a token unless said. */
final class Activations implements AutoCloseable {
    private final Backend backend;
    private final List<Room> rooms = new ArrayList<>();

    /** [hidden]: what the layers add to. */
    final Room residual;
    /** [hidden]: a norm's output. */
    final Room normalised;
    /** [heads * headDim], as is rawQuery, which is q before its norm. */
    final Room query;
    final Room rawQuery;
    /** [kvHeads * headDim], as are rawKey, which is k before its norm, and value. */
    final Room key;
    final Room rawKey;
    final Room value;
    /** k and v as attention reads them: of the backend's operands. */
    final Room keyOperand;
    final Room valueOperand;
    /** [heads]: a text's values stand together, [heads, tokens]. */
    final Room logSumExp;
    /** [heads * headDim]: what the heads put out, and the same times their gates. */
    final Room heads;
    final Room gated;
    /** [hidden]: what attention or feed-forward is about to add. */
    final Room branch;
    /** [hidden]: attention's, where a backward pass needs it after the feed-forward's. */
    final Room attended;
    /** [feedForward], as is gate. */
    final Room up;
    final Room gate;
    /** Of a mixture, [experts]. */
    final Room shares;
    /** Of a mixture, one expert's output [hidden]. */
    final Room part;
    /** [hidden]: rows that logits are asked of, and the same transformed. */
    final Room picked;
    final Room transformed;
    /** [vocabulary]: one row in generation. */
    final Room logits;

    Activations(ModelConfig config, Backend backend) {
        this.backend = backend;
        residual = room(DType.F32, config.hidden());
        normalised = room(DType.F32, config.hidden());
        query = room(DType.F32, config.queryWidth());
        rawQuery = room(DType.F32, config.queryWidth());
        key = room(DType.F32, config.keyWidth());
        rawKey = room(DType.F32, config.keyWidth());
        value = room(DType.F32, config.keyWidth());
        keyOperand = room(backend.operands(), config.keyWidth());
        valueOperand = room(backend.operands(), config.keyWidth());
        logSumExp = room(DType.F32, config.heads());
        heads = room(DType.F32, config.queryWidth());
        gated = room(DType.F32, config.queryWidth());
        branch = room(DType.F32, config.hidden());
        attended = room(DType.F32, config.hidden());
        up = room(DType.F32, config.feedForward());
        gate = room(DType.F32, config.feedForward());
        shares = room(DType.F32, config.experts());
        part = room(DType.F32, config.hidden());
        picked = room(DType.F32, config.hidden());
        transformed = room(DType.F32, config.hidden());
        logits = room(DType.F32, config.vocabulary());
    }

    private Room room(DType dtype, long width) {
        Room room = new Room(backend, dtype, width);
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
