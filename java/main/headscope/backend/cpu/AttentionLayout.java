package headscope.backend.cpu;

import headscope.backend.AttentionSpec;
import headscope.backend.Packing;
import java.lang.foreign.MemorySegment;

/**
 * The position of one text's rows of a head in q [rows, heads * headDim], in k [rows, kvHeads * headDim], and in tensors
 * of the same shapes, which hold the rows of a whole batch.
 *
 * @param firstQuery row of the text's first query, as firstKey that of its first key
 */
record AttentionLayout(AttentionSpec spec, int queries, int keys, int firstQuery, int firstKey) {
    static AttentionLayout of(AttentionSpec spec, Packing packing, int text) {
        return new AttentionLayout(
                spec, packing.text(text).queries(), packing.text(text).keys(), packing.firstQuery(text),
                packing.firstKey(text));
    }

    /** The first query's position in the text: the queries are its last tokens. */
    int firstToken() {
        return spec.causal() ? keys - queries : 0;
    }

    /** One head of a tensor shaped like q, starting at a query: [.., headDim]. */
    Matrix queryRows(MemorySegment x, int query, int head) {
        int stride = spec.heads() * spec.headDim();
        return new Matrix(x, (long) (firstQuery + query) * stride + (long) head * spec.headDim(), stride);
    }

    /** One key head of a tensor shaped like k, starting at a key: [.., headDim]. */
    Matrix keyRows(MemorySegment x, int key, int kvHead) {
        int stride = spec.kvHeads() * spec.headDim();
        return new Matrix(x, (long) (firstKey + key) * stride + (long) kvHead * spec.headDim(), stride);
    }

    /** Index of a query in a head's part of [heads * rows], in which the texts follow one another. */
    long rowIndex(int head, int query) {
        return (long) spec.heads() * firstQuery + (long) head * queries + query;
    }
}
