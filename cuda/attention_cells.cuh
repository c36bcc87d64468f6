// Attention maps pooled to cells, for figures: token j of a text lies in cell j cells / tokens, rounded down.
#pragma once

#include "attention.cuh"

/// The first token of a cell: the smallest i with i cells / tokens, rounded down, equal to the cell.
__device__ inline int first_of_cell(int cell, int cells, int tokens) {
    return static_cast<int>((static_cast<int64_t>(cell) * tokens + cells - 1) / cells);
}

__device__ inline int cell_of(int token, int cells, int tokens) {
    return static_cast<int>(static_cast<int64_t>(token) * cells / tokens);
}

/// Accumulates the values of a query tile, key tile by key tile, into the maximum and the sum of each cell, [rows,
/// cells].
struct CellSink {
    float* largest; // at the first row of the tile
    float* sums;
    int cells;
    int count;
    int keys;

    __device__ void tile(int firstKey, const float (&own)[ROWS][COLUMNS]) {
        SHARED(Tile, values);
        share(values, own);
        __syncthreads();
        int end = min(firstKey + KEY_TILE, keys);
        int first = cell_of(firstKey, cells, keys);
        int touched = cell_of(end - 1, cells, keys) - first + 1;
        for (int i = threadIdx.x; i < QUERY_TILE * touched; i += ATTENTION_THREADS) {
            int row = i % QUERY_TILE;
            int cell = first + i / QUERY_TILE;
            if (row >= count) {
                continue;
            }
            int64_t at = static_cast<int64_t>(row) * cells + cell;
            int last = min(first_of_cell(cell + 1, cells, keys), end);
            for (int key = max(first_of_cell(cell, cells, keys), firstKey); key < last; key++) {
                largest[at] = fmaxf(largest[at], values[row][key - firstKey]);
                sums[at] += values[row][key - firstKey];
            }
        }
    }
};

/// Sets elements to 0 that the walk over keys may skip. Called by the whole block; synchronises.
__device__ inline void clear(float* x, int64_t count) {
    for (int64_t i = threadIdx.x; i < count; i += ATTENTION_THREADS) {
        x[i] = 0;
    }
    __syncthreads();
}

/// The cells of this block's query tile in [heads, queries, cells], cleared. Called by the whole block; synchronises.
__device__ inline CellSink cleared_cells(float* largest, float* sums, const AttentionSpec& spec, int firstRow,
                                         int cells) {
    int count = min(QUERY_TILE, spec.queries - firstRow);
    int64_t at = (static_cast<int64_t>(blockIdx.y) * spec.queries + firstRow) * cells;
    clear(largest + at, static_cast<int64_t>(count) * cells);
    clear(sums + at, static_cast<int64_t>(count) * cells);
    return {largest + at, sums + at, cells, count, spec.keys};
}
