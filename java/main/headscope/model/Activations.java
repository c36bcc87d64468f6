package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** What a forward pass computes in, fp32, reused by every layer and every text. A row is a token unless said. */
final class Activations implements AutoCloseable {
    private final Backend backend;
    private final List<GrowableTensor> rooms = new ArrayList<>();

    /** [hidden]: what the layers add to. */
    final GrowableTensor residual;
    /** [hidden]: a norm's output. */
    final GrowableTensor normalised;
    /** [heads * headDim], as is rawQuery, which is q before its norm. */
    final GrowableTensor query;
    final GrowableTensor rawQuery;
    /** [kvHeads * headDim], as are rawKey, which is k before its norm, and value. */
    final GrowableTensor key;
    final GrowableTensor rawKey;
    final GrowableTensor value;
    /** k and v as attention reads them: of the backend's operands. */
    final GrowableTensor keyOperand;
    final GrowableTensor valueOperand;
    /** [heads]: a text's values stand together, [heads, tokens]. */
    final GrowableTensor logSumExp;
    /** [heads * headDim]: what the heads put out, and the same times their gates. */
    final GrowableTensor heads;
    final GrowableTensor gated;
    /** [hidden]: what attention or feed-forward is about to add. */
    final GrowableTensor branch;
    /** [hidden]: attention's, where a backward pass needs it after the feed-forward's. */
    final GrowableTensor attended;
    /** [feedForward], as is gate. */
    final GrowableTensor up;
    final GrowableTensor gate;
    /** Of a mixture, [experts]. */
    final GrowableTensor shares;
    /** Of a mixture, one expert's output [hidden]. */
    final GrowableTensor part;
    /** [hidden]: rows that logits are asked of, and the same transformed. */
    final GrowableTensor picked;
    final GrowableTensor transformed;
    /** [vocabulary]: one row in generation. */
    final GrowableTensor logits;

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

    private GrowableTensor room(DType dtype, long width) {
        GrowableTensor room = new GrowableTensor(backend, dtype, width);
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
