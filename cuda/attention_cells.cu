// The probabilities of all heads, their columns pooled to cells; attention_saliency_pool_f32 then pools the rows.
//
//   largest[h, i, b] = max, sums[h, i, b] = sum over the j of cell b of exp(s_ij - logSumExp_i)
//                                                              token j lies in cell j cells / keys, rounded down
//
// In      logSumExp [heads, queries], by rows; q [queries, heads * headDim]; k [keys, kvHeads * headDim]; fp32, to
//         which 16 bits are converted exactly; cells <= keys
// Out     largest, sums [heads, queries, cells], fp32, every element
// Launch  grid x = ceil(queries / attention_cells_query_tile), y = heads; block attention_cells_threads
// Cost    2 queries keys headDim operations a head, half where causal
// Rounds  fp32, sums in order of the keys; same bits each time; probabilities as attention_columns.cu
// See     Backend.attentionCells, attention_saliency.cu, test/attention_decode_test.cpp
#include "attention_cells.cuh"
#include "attention_gradient.cuh"

EXPORT(attention_cells_threads, ATTENTION_THREADS);
EXPORT(attention_cells_query_tile, QUERY_TILE);

/// Scores become probabilities, and cells get them.
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
    int count = min(QUERY_TILE, spec.queries - firstRow);
    Head head(spec, blockIdx.y, q, k);
    int64_t at = (static_cast<int64_t>(blockIdx.y) * spec.queries + firstRow) * cells;
    clear(largest + at, static_cast<int64_t>(count) * cells);
    clear(sums + at, static_cast<int64_t>(count) * cells);
    ProbabilityTiles tiles{head, firstRow, logSumExp, CellSink{largest + at, sums + at, cells, count, spec.keys}};
    walk_keys<WIDTH>(head, firstRow, tiles);
}

#define ATTENTION_CELLS(WIDTH) \
    WIDE_KERNEL(attention_cells_f32_d##WIDTH, ATTENTION_THREADS, float* largest, float* sums, const float* logSumExp, \
                const float* q, const float* k, ATTENTION_SPEC, int cells) { \
        attention_cells<WIDTH>(largest, sums, logSumExp, q, k, ATTENTION_SPEC_VALUE, cells); \
    }
FOR_EACH_WIDTH(ATTENTION_CELLS)
