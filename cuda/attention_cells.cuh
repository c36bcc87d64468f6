// Attention maps pooled to cells while a query tile walks over its keys.
#pragma once

#include "attention.cuh"

/// Cells of a figure: token j of a text lies in cell j cells / tokens, rounded down.
struct EvenCells {
    int cells;
    int tokens;

    /// The smallest i with i cells / tokens, rounded down, equal to the cell.
    __device__ int first(int cell) const {
        return static_cast<int>((static_cast<int64_t>(cell) * tokens + cells - 1) / cells);
    }

    __device__ int of(int token) const {
        return static_cast<int>(static_cast<int64_t>(token) * cells / tokens);
    }
};

/// Cells of an atlas: token j lies in cell j / bin, rounded down.
struct BinnedCells {
    int cells;
    int bin;

    __device__ int first(int cell) const {
        return cell * bin;
    }

    __device__ int of(int token) const {
        return token / bin;
    }
};

/// Accumulates the values of a query tile, key tile by key tile, into the maximum and the sum of each cell, [rows,
/// cells]. One of the two may be null.
template <class Cells>
struct CellSink {
    float* largest; // at the first row of the tile
    float* sums;
    Cells cells;
    int count;
    int keys;

    __device__ void tile(int firstKey, const float (&own)[ROWS][COLUMNS]) {
        SHARED(Tile, values);
        share(values, own);
        __syncthreads();
        int end = min(firstKey + KEY_TILE, keys);
        int first = cells.of(firstKey);
        int touched = cells.of(end - 1) - first + 1;
        for (int i = threadIdx.x; i < QUERY_TILE * touched; i += ATTENTION_THREADS) {
            int row = i % QUERY_TILE;
            int cell = first + i / QUERY_TILE;
            if (row >= count) {
                continue;
            }
            float peak = 0;
            float sum = 0;
            int last = min(cells.first(cell + 1), end);
            for (int key = max(cells.first(cell), firstKey); key < last; key++) {
                peak = fmaxf(peak, values[row][key - firstKey]);
                sum += values[row][key - firstKey];
            }
            int64_t at = static_cast<int64_t>(row) * cells.cells + cell;
            if (largest != nullptr) {
                largest[at] = fmaxf(largest[at], peak);
            }
            if (sums != nullptr) {
                sums[at] += sum;
            }
        }
    }
};

/// The elements of rows from `firstRow` on in [heads, queries, width], at most `rows` of them, set to 0: the walk over keys
/// may skip some. Null stays null. Called by the whole block, of THREADS threads; synchronises.
template <int THREADS>
__device__ float* cleared_rows(float* x, const AttentionSpec& spec, int firstRow, int rows, int width) {
    if (x == nullptr) {
        return x;
    }
    x += (static_cast<int64_t>(blockIdx.y) * spec.queries + firstRow) * width;
    int64_t count = static_cast<int64_t>(min(rows, spec.queries - firstRow)) * width;
    for (int64_t i = threadIdx.x; i < count; i += THREADS) {
        x[i] = 0;
    }
    __syncthreads();
    return x;
}

/// The cells of this block's query tile in [heads, queries, cells], cleared; null stays null. Called by the whole block;
/// synchronises.
template <class Cells>
__device__ CellSink<Cells> cleared_cells(float* largest, float* sums, const Cells& cells, const AttentionSpec& spec,
                                         int firstRow) {
    auto cleared = [&](float* x) {
        return cleared_rows<ATTENTION_THREADS>(x, spec, firstRow, QUERY_TILE, cells.cells);
    };
    return {cleared(largest), cleared(sums), cells, min(QUERY_TILE, spec.queries - firstRow), spec.keys};
}
