// Maps of attention pooled to cells, for pictures: token j of a text lies in cell j cells / tokens, rounded down.
#pragma once

#include "attention.cuh"

/// The first token of a cell: the least i for which i cells / tokens, rounded down, is the cell.
__device__ inline int first_of_cell(int cell, int cells, int tokens) {
    return static_cast<int>((static_cast<int64_t>(cell) * tokens + cells - 1) / cells);
}

__device__ inline int cell_of(int token, int cells, int tokens) {
    return static_cast<int>(static_cast<int64_t>(token) * cells / tokens);
}

/// Takes a query tile's values, one key tile after the other, into [rows, cells]: the largest and the sum of each cell.
struct CellSink {
    float* largest; // from the tile's first row on
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

/// Sets what the walk over keys may leave out; the whole block. Synchronises.
__device__ inline void clear(float* x, int64_t count) {
    for (int64_t i = threadIdx.x; i < count; i += ATTENTION_THREADS) {
        x[i] = 0;
    }
    __syncthreads();
}
