// Attention maps pooled to cells on tensor cores, while keys are streamed past resident queries.
#pragma once

#include "attention_cells.cuh"
#include "attention_tiles.cuh"

/// Accumulates the values of a warp's rows, tile by tile, into the maximum and the sum of each cell, [rows, cells]. One of
/// the two may be null. A cell is read from registers by its lanes: most cells are wider than a tile's few columns.
template <class Shape, class Cells>
struct TileCells {
    float* largest; // at the first row of the block
    float* sums;
    Cells cells;
    int count; // rows of the block
    int keys;

    /// The cells of this block's queries in [heads, queries, cells], cleared; null stays null. Called by the whole block;
    /// synchronises.
    __device__ TileCells(float* largest, float* sums, const Cells& cells, const AttentionSpec& spec, int firstRow)
        : largest(cleared_rows<TILE_THREADS>(largest, spec, firstRow, Shape::KEPT, cells.cells)),
          sums(cleared_rows<TILE_THREADS>(sums, spec, firstRow, Shape::KEPT, cells.cells)), cells(cells),
          count(min(Shape::KEPT, spec.queries - firstRow)), keys(spec.keys) {}

    /// @param row the warp's first row in the block
    __device__ void tile(int row, int firstKey, const typename Shape::Products& value) const {
        int end = min(firstKey + Shape::TILE, keys);
        int last = cells.of(end - 1);
        for (int cell = cells.of(firstKey); cell <= last; cell++) {
            int from = cells.first(cell) - firstKey - lane_column(0, 0);
            int to = min(cells.first(cell + 1), end) - firstKey - lane_column(0, 0);
            UNROLL for (int r = 0; r < Shape::ROWS; r++) {
                float peak = 0;
                float sum = 0;
                UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                    UNROLL for (int i = 0; i < 2; i++) {
                        float own = c * 8 + i >= from && c * 8 + i < to ? value[r / 2][c][r % 2 * 2 + i] : 0;
                        peak = fmaxf(peak, own);
                        sum += own;
                    }
                }
                add(row + lane_row(r), cell, warp_maximum<QUAD>(peak), warp_sum<QUAD>(sum));
            }
        }
    }

private:
    __device__ void add(int row, int cell, float peak, float sum) const {
        if (threadIdx.x % QUAD != 0 || row >= count) {
            return;
        }
        int64_t at = static_cast<int64_t>(row) * cells.cells + cell;
        if (largest != nullptr) {
            largest[at] = fmaxf(largest[at], peak);
        }
        if (sums != nullptr) {
            sums[at] += sum;
        }
    }
};
