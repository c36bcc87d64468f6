package headscope.backend;

import headscope.tensor.Tensor;

/** The rows of one text of a packing in tensors of the whole batch. */
public record TextRows(Packing packing, int index) {
    /** Of a tensor [queries, ..]. */
    public Tensor queries(Tensor all) {
        return all.rows(packing.firstQuery(index), packing.text(index).queries());
    }

    /** Of a tensor [keys, ..]. */
    public Tensor keys(Tensor all) {
        return all.rows(packing.firstKey(index), packing.text(index).keys());
    }

    /** [heads, queries of the text], of [heads * queries]. */
    public Tensor logSumExp(Tensor all, int heads) {
        int queries = packing.text(index).queries();
        return all.as(all.count()).rows((long) heads * packing.firstQuery(index), (long) heads * queries)
                .as(heads, queries);
    }

    public AttentionStatistics statistics(AttentionStatistics all) {
        return all.text(packing.text(index).slot());
    }
}
