// Gradient of attention by warp groups on Hopper: a block keeps 128 rows of two tensors, of which each of two groups owns 64,
// and streams pairs of tiles, rows of two other tensors. Both kernels, for keys and for queries, compute products of the
// scores and dL/dP, then add rounded weights times a streamed tile.
#pragma once

#include "attention_gradient_tiles.cuh"
#include "attention_groups.cuh"

/// A slot is a tile of each streamed tensor, followed by MORE bytes. Boxes of all four tensors have BOX rows.
template <int WIDTH, int TILE_ROWS, int SLOTS_, int MORE>
struct PairGroupShape : GroupShape<WIDTH, 2, SLOTS_> {
    using Kept = GroupShape<WIDTH, 2, SLOTS_>;
    static constexpr int TILE = TILE_ROWS;
    static constexpr int TILE_BYTES = Kept::PIECES * TILE * Kept::ROW_BYTES;
    static constexpr int PRODUCTS = TILE / 2;
    static constexpr int SLOT_BYTES = 2 * TILE_BYTES + MORE;
    static constexpr int BOX = 64;
    static constexpr int BYTES = 2 * Kept::KEPT_BYTES + SLOTS_ * SLOT_BYTES;

    using Products = Registers<float, PRODUCTS>;
    using Rounded = Registers<unsigned, TILE / 4>;
};

/// Copies ROWS rows of one head, from `row` on, into a tile.
template <class Shape, int ROWS>
__device__ __forceinline__ void load_boxes(unsigned char* to, const TensorMap& map, Barrier* barrier, int head,
                                           int row) {
    UNROLL for (int piece = 0; piece < Shape::PIECES; piece++) {
        UNROLL for (int i = 0; i < ROWS; i += Shape::BOX) {
            load_box(to + (piece * ROWS + i) * Shape::ROW_BYTES, map, barrier, piece * Shape::PIECE_COLUMNS, head,
                     row + i);
        }
    }
}

/// Streamed tiles, counted from the text's first row, that a block's resident rows need, and those that a warp group's need.
struct PairTiles {
    Range block;
    Range group;

    /// Both from ranges of rows; the group's lies within the block's, or is empty.
    template <class Shape>
    static __device__ __forceinline__ PairTiles of(Range block, Range group) {
        PairTiles tiles{{block.first / Shape::TILE, (block.end + Shape::TILE - 1) / Shape::TILE},
                        {group.first / Shape::TILE, (group.end + Shape::TILE - 1) / Shape::TILE}};
        if (block.first >= block.end) {
            tiles.block = {0, 0};
        }
        if (group.first >= group.end) {
            tiles.group = {tiles.block.first, tiles.block.first};
        }
        return tiles;
    }
};

/// Waits for the n-th pair of tiles, and clears the rows of both from `rows` on: they may belong to another text.
template <class Shape>
__device__ __forceinline__ void await_pair(TileBarriers<Shape::SLOTS>& pairs, int n, unsigned char* slot, int rows) {
    pairs.wait(n);
    if (rows < Shape::TILE) {
        clear_rows<Shape>(slot, rows);
        clear_rows<Shape>(slot + Shape::TILE_BYTES, rows);
        publish();
        sync_threads(1, Shape::THREADS - GROUP_THREADS);
    }
}

/// Visits a block's tiles in order: calls skip(tile) for those that the group does not need and add(tile) for the others,
/// then finish().
template <class Skip, class Add, class Finish>
__device__ __forceinline__ void visit_tiles(const PairTiles& tiles, Skip skip, Add add, Finish finish) {
    int tile = tiles.block.first;
    for (; tile < tiles.group.first; tile++) {
        skip(tile);
    }
    for (; tile < tiles.group.end; tile++) {
        add(tile);
    }
    finish();
    for (; tile < tiles.block.end; tile++) {
        skip(tile);
    }
}

/// BELOW_ALL where a column of the tile is masked for a row, s * scale elsewhere; visible(r) is the range of the columns of a
/// lane's row.
template <int N, class Visible>
__device__ __forceinline__ void mask_products(Registers<float, N>& s, float scale, Visible visible) {
    UNROLL for (int r = 0; r < 2; r++) {
        Range range = visible(r);
        int first = range.first - group_column();
        int end = range.end - group_column();
        UNROLL for (int c = 0; c < N / 4; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                float& x = s[4 * c + 2 * r + i];
                x = c * 8 + i >= first && c * 8 + i < end ? x * scale : BELOW_ALL;
            }
        }
    }
}

/// GradientSums of attention_gradient_tiles.cuh for a warp group.
template <class Shape, class T, int WIDTH>
struct GroupSums {
    Registers<float, WIDTH / 2> sum;
    float unit[2]; // of a lane's rows

    __device__ __forceinline__ void clear() {
        UNROLL for (int i = 0; i < WIDTH / 2; i++) {
            sum[i] = 0;
        }
        UNROLL for (int r = 0; r < 2; r++) {
            unit[r] = NARROW<T> ? LARGEST_UNIT : 1;
        }
    }

    /// Rounds a tile of weights. No products that add to the sums may run.
    __device__ __forceinline__ void round(typename Shape::Rounded& weight, typename Shape::Products& s) {
        if constexpr (NARROW<T>) {
            fit_units(s);
        }
        UNROLL for (int i = 0; i < Shape::PRODUCTS / 2; i++) {
            float factor = NARROW<T> ? unit[i % 2] : 1;
            weight[i] = pack<T>(s[2 * i] * factor, s[2 * i + 1] * factor);
        }
    }

    /// Writes a lane's row r of one head times a factor, or adds it; `to` is the row's first element.
    __device__ __forceinline__ void write(float* to, int r, float factor, int headDim, bool adds) {
        if (NARROW<T>) {
            factor *= inverse_power(unit[r]);
        }
        UNROLL for (int c = 0; c < WIDTH / 8; c++) {
            int column = c * 8 + group_column();
            if (column < headDim) {
                float2& pair = *reinterpret_cast<float2*>(to + column);
                float2 before = adds ? pair : make_float2(0, 0);
                pair = make_float2(before.x + sum[4 * c + 2 * r] * factor, before.y + sum[4 * c + 2 * r + 1] * factor);
            }
        }
    }

private:
    __device__ __forceinline__ void fit_units(typename Shape::Products& s) {
        float change[2];
        UNROLL for (int r = 0; r < 2; r++) {
            float largest = 0;
            UNROLL for (int c = 0; c < Shape::TILE / 8; c++) {
                largest = fmaxf(largest, fmaxf(fabsf(s[4 * c + 2 * r]), fabsf(s[4 * c + 2 * r + 1])));
            }
            float fitting = fitting_unit(warp_maximum<QUAD>(largest), unit[r]);
            change[r] = fitting * inverse_power(unit[r]);
            unit[r] = fitting;
        }
        if (__any_sync(ALL_LANES, change[0] != 1 || change[1] != 1)) {
            UNROLL for (int i = 0; i < WIDTH / 2; i++) {
                sum[i] *= change[i / 2 % 2];
            }
        }
    }
};

#define EXPORT_PAIR_GROUPS(kernel, SHAPE) \
    EXPORT_GROUPS(kernel, SHAPE); \
    EXPORT(kernel##_box, SHAPE::BOX)
