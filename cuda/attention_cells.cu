// Attention probabilities of all heads, columns pooled to cells. attention_saliency_pool_f32 then pools the rows.
//
//   largest[h, i, b] = max, sums[h, i, b] = sum of exp(s_ij - logSumExp_i) over the j in cell b;
//   token j lies in cell j cells / keys, rounded down
//
// In      logSumExp [heads, queries]; q [queries, heads * headDim]; k [keys, kvHeads * headDim]; fp32 (16-bit operands
//         are converted first, which is exact); cells <= keys
// Out     largest, sums [heads, queries, cells], fp32, every element
// Launch  grid x = ceil(queries / attention_cells_query_tile), y = heads; block attention_cells_threads
// Cost    2 queries keys headDim operations per head, half if causal
// Rounds  fp32, sums in key order, bit-reproducible; probabilities as in attention_columns.cu
// See     Backend.attentionCells, attention_saliency.cu, test/attention_decode_test.cpp
#include "attention_cells.cuh"
#include "attention_gradient.cuh"

EXPORT(attention_cells_threads, ATTENTION_THREADS);
EXPORT(attention_cells_query_tile, QUERY_TILE);

/// Turns scores into probabilities and pools them.
struct ProbabilityTiles {
    const Head& head;
    int firstRow;
    const float* logSumExp;
    CellSink cells;

    __device__ void tile(int firstKey, float (&score)[ROWS][COLUMNS]) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            float logSum = of_row(logSumExp, head, firstRow + tile_row(r));
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                score[r][c] = probability(score[r][c], logSum);
            }
        }
        cells.tile(firstKey, score);
    }
};

template <int WIDTH>
__device__ void attention_cells(float* largest, float* sums, const float* logSumExp, const float* q, const float* k,
                                const AttentionSpec& spec, int cells) {
    int firstRow = first_row(spec);
    Head head(spec, blockIdx.y, q, k);
    ProbabilityTiles tiles{head, firstRow, logSumExp, cleared_cells(largest, sums, spec, firstRow, cells)};
    walk_keys<WIDTH>(head, firstRow, tiles);
}

#define ATTENTION_CELLS(WIDTH) \
    WIDE_KERNEL(attention_cells_f32_d##WIDTH, ATTENTION_THREADS, float* largest, float* sums, const float* logSumExp, \
                const float* q, const float* k, ATTENTION_SPEC, int cells) { \
        attention_cells<WIDTH>(largest, sums, logSumExp, q, k, ATTENTION_SPEC_VALUE, cells); \
    }
FOR_EACH_WIDTH(ATTENTION_CELLS)
