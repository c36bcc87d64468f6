// The pooled atlas of attention maps (AttentionAtlas.java): token i lies in cell i / bin, rounded down.
//
//   cells   pooled[h, i, b] = maximum or sum of exp(s_ij - logSumExp_i) over the keys j of cell b
//   pool    cells[h, a, b] = maximum or sum of pooled[h, i, b] over the new tokens i of cell a, and of its earlier value
//           if earlier tokens lie in it
//   merge   cells[h, a, b] = maximum or sum of factor x factor neighbouring cells
//
// Columns are pooled first, rows second, so that no map is stored and no block waits for another block's results.
//
// In      logSumExp [heads, capacity], of these queries; q [queries, heads * headDim]; k [keys, kvHeads * headDim]; fp32
//         (16-bit ones: attention_cells_16bit.cu); keys <= side * bin; mean is 0 for the maximum, else 1.
//         pool: firstToken is the position of the first query; rows the number of rows of cells with new tokens
//         merge: rows is the number of rows of cells with tokens; factor >= 2
// Out     pooled [heads, queries, side]; cells [heads, side, side]: every element of the rows of cells with new tokens,
//         or of the merged rows; fp32
// Launch  cells: grid x = tiles of attention_cells_query_tile queries, y = heads; block attention_cells_threads;
//         pool: one thread per cell, grid x = ceil(heads rows side / attention_cells_threads); block
//         attention_cells_threads; merge: grid x = heads; block attention_cells_threads
// Cost    cells: 2 queries keys headDim operations per head, half if causal; pool: 4 queries side bytes per head; merge:
//         4 side^2 bytes per head
// Rounds  fp32, sums in key and row order, bit-reproducible; probabilities as in attention_columns.cu
// See     Backend.attention, AttentionAtlas, attention_decode.cu for single queries, test/attention_atlas_test.cpp
#include "attention_cells.cuh"
#include "attention_gradient.cuh"

EXPORT(attention_cells_threads, ATTENTION_THREADS);
EXPORT(attention_cells_query_tile, QUERY_TILE);

/// Turns scores into probabilities and pools them.
struct ProbabilityTiles {
    const Head& head;
    int firstRow;
    const float* logSumExp; // of this head
    CellSink<BinnedCells> cells;

    __device__ void tile(int firstKey, float (&score)[ROWS][COLUMNS]) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            int row = firstRow + tile_row(r);
            float logSum = row < head.spec.queries ? logSumExp[head.position(row)] : 0;
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                score[r][c] = probability(score[r][c], logSum);
            }
        }
        cells.tile(firstKey, score);
    }
};

template <int WIDTH>
__device__ void attention_cells(float* pooled, const float* logSumExp, const float* q, const float* k,
                                const AttentionSpec& spec, const BinnedCells& cells, bool mean) {
    int firstRow = first_row(spec);
    Head head(spec, blockIdx.y, q, k);
    ProbabilityTiles tiles{head, firstRow, logSumExp + spec.vector(static_cast<int>(blockIdx.y)),
                           cleared_cells(mean ? nullptr : pooled, mean ? pooled : nullptr, cells, spec, firstRow)};
    walk_keys<WIDTH>(head, firstRow, tiles);
}

__device__ static float combined(float value, float more, bool mean) {
    return mean ? value + more : fmaxf(value, more);
}

KERNEL(attention_cells_pool_f32, ATTENTION_THREADS, float* cells, const float* pooled, int64_t count, int queries,
       int firstToken, int rows, int side, int bin, int mean) {
    int64_t i = element();
    if (i >= count) {
        return;
    }
    int column = static_cast<int>(i % side);
    int row = firstToken / bin + static_cast<int>(i / side % rows);
    int64_t head = i / side / rows;
    float value = 0;
    int end = min((row + 1) * bin, firstToken + queries);
    for (int token = max(row * bin, firstToken); token < end; token++) {
        value = combined(value, pooled[(head * queries + token - firstToken) * side + column], mean != 0);
    }
    float& cell = cells[(head * side + row) * side + column];
    cell = row * bin < firstToken ? combined(cell, value, mean != 0) : value;
}

/// In place: a block owns a head and writes a row of cells once all threads have read what it replaces, which later rows
/// do not read.
KERNEL(attention_cells_merge_f32, ATTENTION_THREADS, float* cells, int side, int rows, int factor, int mean) {
    float* own = cells + static_cast<int64_t>(blockIdx.x) * side * side;
    for (int row = 0; row * factor < rows; row++) {
        float value = 0; // of the column threadIdx.x; side <= ATTENTION_THREADS
        int column = static_cast<int>(threadIdx.x);
        for (int i = row * factor; i < min((row + 1) * factor, rows); i++) {
            for (int j = column * factor; j < min((column + 1) * factor, side); j++) {
                value = combined(value, own[i * side + j], mean != 0);
            }
        }
        __syncthreads();
        if (column < side) {
            own[row * side + column] = value;
        }
        __syncthreads();
    }
}

#define ATTENTION_CELLS(WIDTH) \
    WIDE_KERNEL(attention_cells_f32_d##WIDTH, ATTENTION_THREADS, float* pooled, const float* logSumExp, \
                const float* q, const float* k, ATTENTION_SPEC, int capacity, int side, int bin, int mean) { \
        attention_cells<WIDTH>(pooled, logSumExp, q, k, QUERY_TILE_SPEC(capacity), BinnedCells{side, bin}, \
                               mean != 0); \
    }
FOR_EACH_WIDTH(ATTENTION_CELLS)
