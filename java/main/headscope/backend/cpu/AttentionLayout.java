package headscope.backend.cpu;

import headscope.backend.AttentionSpec;
import headscope.tensor.Tensor;

/**
 * The position of one head's rows in q [queries, heads * headDim], in k [keys, kvHeads * headDim], and in tensors of the
 * same shapes.
 */
record AttentionLayout(AttentionSpec spec, int queries, int keys) {
    static AttentionLayout of(AttentionSpec spec, Tensor q, Tensor k) {
        return new AttentionLayout(spec, q.intSize(0), k.intSize(0));
    }

    /** The first query's position in the text: the queries are its last tokens. */
    int firstToken() {
        return spec.causal() ? keys - queries : 0;
    }

    /** One head of a tensor shaped like q, starting at a query row: [.., headDim]. */
    Matrix queryRows(Tensor x, int row, int head) {
        int stride = spec.heads() * spec.headDim();
        return new Matrix(x.bytes(), (long) row * stride + (long) head * spec.headDim(), stride);
    }

    /** One key head of a tensor shaped like k, starting at a key: [.., headDim]. */
    Matrix keyRows(Tensor x, int key, int kvHead) {
        int stride = spec.kvHeads() * spec.headDim();
        return new Matrix(x.bytes(), (long) key * stride + (long) kvHead * spec.headDim(), stride);
    }
}
