// Attention of the last queries of a text over all its keys, with its statistics, in one pass.
//
//   p_ij = exp(s_ij - logSumExp_i)        s_ij = scale q_i k_j', soft-capped; over the keys j visible to i
//   out_i = sum_j p_ij v_j
//   logSumExp_i = log(sum_j exp s_ij + exp sink)      logDiagonal_i = s_ii - logSumExp_i
//   entropy_i = - sum_j p_ij log p_ij                 maximum_i = max_j p_ij
//   previous_i = p_(i, i-1), 0 if masked            distance_i = sum_j p_ij |i - j|
//
// In      q [queries, heads * headDim]; k, v [keys, kvHeads * headDim]; sinks [heads] or null; fp32
// Out     out [queries, heads * headDim]; the new rows of the six statistics [heads, capacity]; all six may be null, or
//         all but logSumExp, which is then [heads, queries]
// Launch  grid x = tiles of attention_forward_query_tile queries, y = heads; block attention_forward_threads
// Cost    4 queries keys headDim operations per head, half if causal; every query tile reads its visible k and v
// Rounds  fp32, sums in key order, bit-reproducible; exp2f within 2 ulp
// See     Backend.attention, test/attention_test.cpp, test/attention_gradient_test.cpp
#include "softmax_rows.cuh"

EXPORT(attention_forward_threads, ATTENTION_THREADS);
EXPORT(attention_forward_query_tile, QUERY_TILE);

/// The output before division by the sum of exponentials.
template <int WIDTH>
struct WeightedValues {
    const Head& head;
    const float* v;
    SoftmaxRows rows;
    WeightedRows<WIDTH> sum;

    __device__ WeightedValues(const Head& head, int firstRow, const float* v)
        : head(head), v(v), rows(head, firstRow) {}

    __device__ void tile(int firstKey, float (&score)[ROWS][COLUMNS]) {
        SHARED(WeightTile, exponentials);
        rows.tile(firstKey, score);
        share(exponentials, score);
        UNROLL for (int r = 0; r < ROWS; r++) {
            sum.scale(r, rows.shrink[r]);
        }
        sum.add(exponentials, head.ofKeys(v), firstKey, head.spec.headDim);
    }
};

template <int WIDTH>
__device__ void attention_forward(float* out, const Statistics& statistics, const float* q, const float* k,
                                  const float* v, const float* sinks, const AttentionSpec& spec) {
    int headIndex = blockIdx.y;
    int firstRow = first_row(spec);
    Head head(spec, headIndex, q, k);
    WeightedValues<WIDTH> values(head, firstRow, v);
    walk_keys<WIDTH>(head, firstRow, values);
    UNROLL for (int r = 0; r < ROWS; r++) {
        FinishedRow row = values.rows.finish(r, sink_score(sinks, headIndex));
        values.rows.write(row, r, statistics);
        values.sum.scale(r, row.shrink * row.inverse);
    }
    values.sum.write(out + Head::queryOffset(spec, headIndex), head.queryStride, firstRow, spec.queries, spec.headDim);
}

#define ATTENTION_FORWARD(WIDTH) \
    KERNEL(attention_forward_f32_d##WIDTH, ATTENTION_THREADS, float* out, STATISTICS, const float* q, const float* k, \
           const float* v, const float* sinks, ATTENTION_SPEC, int capacity) { \
        attention_forward<WIDTH>(out, STATISTICS_VALUE, q, k, v, sinks, QUERY_TILE_SPEC(capacity)); \
    }
FOR_EACH_WIDTH(ATTENTION_FORWARD)
