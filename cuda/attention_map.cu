// Attention probabilities of consecutive heads, as whole maps.
//
//   destination[h, i, j] = exp(s_ij - logSumExp_i) of head + h; 0 if j is masked
//
// In      q [queries, heads * headDim]; k [keys, kvHeads * headDim]; sinks [heads] or null; fp32
// Out     destination [maps, queries, keys], fp32, every element
// Launch  grid x = tiles of attention_map_query_tile queries, y = maps; block attention_map_threads
// Cost    4 queries keys headDim operations per map, half if causal: one pass for the sums, one for the probabilities
// Rounds  as in attention_forward.cu
// See     Backend.attentionMap, SymmetricSpectrum, test/attention_test.cpp
#include "softmax_rows.cuh"

EXPORT(attention_map_threads, ATTENTION_THREADS);
EXPORT(attention_map_query_tile, QUERY_TILE);

/// Writes the probabilities of a query tile once its sums are known.
struct MapRows {
    float* destination;
    int firstRow;
    int queries;
    int keys;
    float shift[ROWS];
    float inverse[ROWS];

    __device__ MapRows(float* destination, const SoftmaxRows& rows, float sink, int firstRow, const AttentionSpec& spec)
        : destination(destination), firstRow(firstRow), queries(spec.queries), keys(spec.keys) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            FinishedRow finished = rows.finish(r, sink);
            shift[r] = finished.row.peak;
            inverse[r] = finished.inverse;
        }
    }

    __device__ void tile(int firstKey, float (&score)[ROWS][COLUMNS]) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            int row = firstRow + tile_row(r);
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                int key = firstKey + tile_column(c);
                if (row < queries && key < keys && score[r][c] > BELOW_ALL) {
                    destination[static_cast<int64_t>(row) * keys + key] = exp2f(score[r][c] - shift[r]) * inverse[r];
                }
            }
        }
    }
};

template <int WIDTH>
__device__ void attention_map(float* destination, const float* q, const float* k, const float* sinks,
                              const AttentionSpec& spec, int firstHead) {
    int headIndex = firstHead + static_cast<int>(blockIdx.y);
    destination += static_cast<int64_t>(blockIdx.y) * spec.queries * spec.keys;
    int firstRow = first_row(spec);
    Head head(spec, headIndex, q, k);
    SoftmaxRows rows(head, firstRow);
    walk_keys<WIDTH>(head, firstRow, rows);
    // The walk skips keys that are masked for every query.
    int64_t first = static_cast<int64_t>(firstRow) * spec.keys;
    int64_t end = static_cast<int64_t>(min(firstRow + QUERY_TILE, spec.queries)) * spec.keys;
    for (int64_t i = first + threadIdx.x; i < end; i += ATTENTION_THREADS) {
        destination[i] = 0;
    }
    MapRows map(destination, rows, sink_score(sinks, headIndex), firstRow, spec);
    walk_keys<WIDTH>(head, firstRow, map);
}

#define ATTENTION_MAP(WIDTH) \
    WIDE_KERNEL(attention_map_f32_d##WIDTH, ATTENTION_THREADS, float* destination, const float* q, const float* k, \
                const float* sinks, ATTENTION_SPEC, int head) { \
        attention_map<WIDTH>(destination, q, k, sinks, QUERY_TILE_SPEC(0), head); \
    }
FOR_EACH_WIDTH(ATTENTION_MAP)
