// The statistics of attention_forward.cu without its output, from queries and keys.
//
// In      q [queries, heads * headDim]; k [keys, kvHeads * headDim]; sinks [heads] or null; fp32
// Out     the new rows of the six statistics [heads, capacity]; all but logSumExp may be null, which is then
//         [heads, queries]
// Launch  grid x = tiles of attention_statistics_query_tile queries, y = heads; block attention_statistics_threads
// Cost    2 queries keys headDim operations per head, half if causal
// Rounds  as in attention_forward.cu
// See     Backend.attentionStatistics, test/attention_test.cpp
#include "softmax_rows.cuh"

EXPORT(attention_statistics_threads, ATTENTION_THREADS);
EXPORT(attention_statistics_query_tile, QUERY_TILE);

template <int WIDTH>
__device__ void attention_statistics(const Statistics& statistics, const float* q, const float* k, const float* sinks,
                                     const AttentionSpec& spec) {
    int headIndex = blockIdx.y;
    int firstRow = first_row(spec);
    Head head(spec, headIndex, q, k);
    SoftmaxRows rows(head, firstRow);
    walk_keys<WIDTH>(head, firstRow, rows);
    UNROLL for (int r = 0; r < ROWS; r++) {
        rows.write(rows.finish(r, sink_score(sinks, headIndex)), r, statistics);
    }
}

#define ATTENTION_STATISTICS(WIDTH) \
    KERNEL(attention_statistics_f32_d##WIDTH, ATTENTION_THREADS, STATISTICS, const float* q, const float* k, \
           const float* sinks, ATTENTION_SPEC, int capacity) { \
        attention_statistics<WIDTH>(STATISTICS_VALUE, q, k, sinks, QUERY_TILE_SPEC(capacity)); \
    }
FOR_EACH_WIDTH(ATTENTION_STATISTICS)
