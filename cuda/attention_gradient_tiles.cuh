// Gradient of attention on tensor cores: pairs of streamed tiles, and weights in 16 bits.
//
// The kernels for queries and for keys both compute S = q k' and dL/dP = g v' for a tile, then sum rounded weights times a
// streamed tile. The gradient g has been rounded by attention_gradient_rows_16bit.cu: in fp16, each row is in units of a
// power of two, so that small gradients do not underflow.
#pragma once

#include "attention_gradient.cuh"
#include "attention_tiles.cuh"

/// Whether a type has fewer exponent bits than fp32.
template <class T>
constexpr bool NARROW = false;
template <>
inline constexpr bool NARROW<F16> = true;

/// A row of `numbers`, which attention_gradient_rows_16bit.cu writes.
struct alignas(16) RowNumbers {
    float shift; // added to scores in units of log 2 so that exp2 gives probabilities
    float mean;  // of dL/dP under the probabilities, in units
    float unit;  // of the gradient
    float padding;
};

/// Gradients of shape [keys, gridDim.y * headDim], and columns [heads, keys] or null.
struct KeyResults {
    float* kGradient;
    float* vGradient;
    float* columns;
};

/// 1 / x of a power of two; 0 of the 0 that stands for a row beyond the last.
__device__ inline float inverse_power(float x) {
    return x > 0 ? ldexpf(1, -ilogbf(x)) : 0;
}

/// A block keeps KEPT rows of two tensors and streams tiles of TILE rows of two others: two pairs of tiles, one of which
/// is copied while the other one is read.
template <int WIDTH, int WARP_PIECES, int TILE_ROWS>
struct PairShape {
    static constexpr int PIECES = WARP_PIECES;
    static constexpr int WARP_ROWS = PIECE * PIECES;
    static constexpr int KEPT = TILE_WARPS * WARP_ROWS;
    static constexpr int TILE = TILE_ROWS;
    static constexpr int COLUMNS = TILE / 8;
    static constexpr int ROWS = 2 * PIECES;
    static constexpr int PITCH = TileShape<WIDTH>::PITCH;
    static constexpr int BYTES = (2 * KEPT + 4 * TILE) * PITCH * 2;

    using Products = float[PIECES][COLUMNS][4];

    /// First row of a warp within the block.
    static __device__ int warp_row() {
        return static_cast<int>(threadIdx.x) / WARP * WARP_ROWS;
    }
};

/// Place of a lane's row in the block.
template <class Shape>
__device__ int row_in_block(int r) {
    return Shape::warp_row() + lane_row(r);
}

/// Streams pairs of tiles with the same rows of two tensors. They follow the kept rows in the pool.
template <class T, int WIDTH, class Shape>
class PairStream {
public:
    static constexpr int LENGTH = Shape::TILE * Shape::PITCH; // from the first tile of a pair to the second

    __device__ explicit PairStream(T* pool) : pool(pool) {}

    /// Starts copying the next pair. Called after arrived(), when all threads have read the pair that it overwrites.
    __device__ void copy(const RowsOfHead<T>& first, const RowsOfHead<T>& second, int row) {
        copy_rows<WIDTH, Shape::TILE>(pool, offset(next), first, row);
        copy_rows<WIDTH, Shape::TILE>(pool, offset(next) + LENGTH, second, row);
        end_copies();
    }

    /// Waits for the next pair and returns its index, 0 or 1; all threads have then read the other one. Synchronises.
    __device__ int arrived() {
        wait_for_copies<0>();
        __syncthreads();
        next = 1 - next;
        return 1 - next;
    }

    /// Where a pair lies in the pool.
    static __device__ int offset(int pair) {
        return 2 * Shape::KEPT * Shape::PITCH + pair * 2 * LENGTH;
    }

private:
    T* pool;
    int next = 0;
};

/// BELOW_ALL where a column of the tile is masked for a row, product * scale elsewhere; visible(r) is the range of the
/// columns of a lane's row.
template <int PIECES, int COLUMNS, class Visible>
__device__ void mask_tile(float (&product)[PIECES][COLUMNS][4], float scale, Visible visible) {
    UNROLL for (int r = 0; r < 2 * PIECES; r++) {
        Range range = visible(r);
        int first = recomputed(range.first - lane_column(0, 0));
        int end = recomputed(range.end - lane_column(0, 0));
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                float& element = product[r / 2][c][r % 2 * 2 + i];
                element = c * 8 + i >= first && c * 8 + i < end ? element * scale : BELOW_ALL;
            }
        }
    }
}

/// Applies soft cap and mask if needed; returns the factor that turns the products into scores in units of log 2.
/// visible(r) as in mask_tile.
template <int PIECES, int COLUMNS, class Visible>
__device__ float cap_and_mask(const AttentionSpec& spec, const TileMask& mask, float (&product)[PIECES][COLUMNS][4],
                              Visible visible) {
    float scale = spec.scale * LOG2_E;
    if (spec.softCap > 0) {
        soft_cap(spec, product);
        scale = 1;
    }
    if (!mask.all) {
        mask_tile(product, scale, visible);
        scale = 1;
    }
    return scale;
}

/// Queries and their gradients are kept, keys and values are streamed.
template <int WIDTH>
using QueryShape = PairShape<WIDTH, (WIDTH <= 128 ? 2 : 1), (WIDTH <= 128 ? 32 : 16)>;

/// Streams the visible keys and values of the block's queries and calls process(key, tile, scale, product, passed) for each
/// tile of which a row of the warp sees a key: the first key; where the keys lie in the pool; products q k', which times
/// scale are scores in units of log 2, BELOW_ALL where masked; and dL/dP. Synchronises before the first call.
template <int WIDTH, class T, class Process>
__device__ void walk_pairs(const AttentionSpec& spec, int head, T* pool, const T* gradient, const T* q, const T* k,
                           const T* v, Process process) {
    using Shape = QueryShape<WIDTH>;
    int kvHead = spec.kvHead(head);
    int warpRow = Shape::warp_row();
    int blockRow = spec.tile * Shape::KEPT;
    int firstRow = blockRow + warpRow;
    int first = spec.firstKey(blockRow) / Shape::TILE * Shape::TILE;
    int end = spec.endKey(min(blockRow + Shape::KEPT, spec.queries) - 1);
    PairStream<T, WIDTH, Shape> stream(pool);
    copy_rows<WIDTH, Shape::KEPT>(pool, 0, queries_of(spec, head, q), blockRow);
    copy_rows<WIDTH, Shape::KEPT>(pool, Shape::KEPT * Shape::PITCH, queries_of(spec, head, gradient), blockRow);
    stream.copy(keys_of(spec, kvHead, k), keys_of(spec, kvHead, v), first);
    for (int key = first; key < end; key += Shape::TILE) {
        int tile = stream.offset(stream.arrived());
        if (key + Shape::TILE < end) {
            stream.copy(keys_of(spec, kvHead, k), keys_of(spec, kvHead, v), key + Shape::TILE);
        }
        TileMask mask(spec, firstRow, Shape::WARP_ROWS, key, Shape::TILE);
        if (mask.none) {
            continue;
        }
        typename Shape::Products product;
        typename Shape::Products passed;
        multiply_tile<T, WIDTH>(product, pool, warpRow, tile);
        multiply_tile<T, WIDTH>(passed, pool, Shape::KEPT + warpRow, tile + stream.LENGTH);
        float scale = cap_and_mask(spec, mask, product, [&](int r) {
            int row = firstRow + lane_row(r);
            return Range{spec.firstKey(row) - key, spec.endKey(row) - key};
        });
        process(key, tile, scale, product, passed);
    }
}

/// d score / d (q k') over the scale, from a score in units of log 2; toCap = ln 2 / softCap.
__device__ inline float capped_slope(float score, float toCap) {
    float tangent = fmaxf(score * toCap, -1); // BELOW_ALL is far below -softCap
    return fmaf(-tangent, tangent, 1.0f);
}

constexpr float LARGEST_UNIT = 0x1p100f;

/// The power of two by which a row's fp16 weights are multiplied: it decreases if the largest one would overflow.
__device__ inline float fitting_unit(float largest, float unit) {
    constexpr float LARGEST_WEIGHT = 0x1p15f;
    constexpr int AIM = 10; // exponent of the largest weight after a change
    return largest * unit > LARGEST_WEIGHT ? ldexpf(1, AIM - ilogbf(largest)) : unit;
}

/// Weights rounded to 16 bits times streamed rows. In fp16 a row's weights and sums are multiplied by a power of two that
/// decreases when a tile's weights would overflow, so that they neither do nor underflow.
template <class T, int WIDTH, int PIECES>
class GradientSums {
public:
    __device__ GradientSums() {
        clear();
    }

    __device__ void clear() {
        sums = {};
        UNROLL for (int r = 0; r < 2 * PIECES; r++) {
            unit[r] = NARROW<T> ? LARGEST_UNIT : 1;
        }
    }

    template <int COLUMNS>
    using Rounded = Weights<T, WIDTH, PIECES, COLUMNS>;

    /// Rounds a tile of weights.
    template <int COLUMNS>
    __device__ void round(Rounded<COLUMNS>& rounded, const float (&weight)[PIECES][COLUMNS][4]) {
        if constexpr (NARROW<T>) {
            UNROLL for (int r = 0; r < 2 * PIECES; r++) {
                fit(r, weight);
            }
        }
        UNROLL for (int p = 0; p < PIECES; p++) {
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    float factor = NARROW<T> ? unit[2 * p + i] : 1;
                    rounded.pair[p][c][i] = pack<T>(weight[p][c][2 * i] * factor, weight[p][c][2 * i + 1] * factor);
                }
            }
        }
    }

    template <int COLUMNS>
    __device__ void add(const Rounded<COLUMNS>& rounded, const T* pool, int rows) {
        sums.add(rounded, pool, rows);
    }

    /// After the last tile: multiplies the sums of row r by factor(r).
    template <class Factor>
    __device__ void finish(Factor factor) {
        UNROLL for (int r = 0; r < 2 * PIECES; r++) {
            sums.scale(r, NARROW<T> ? factor(r) * inverse_power(unit[r]) : factor(r));
        }
    }

    WeightedTiles<T, WIDTH, PIECES> sums;

private:
    template <int COLUMNS>
    __device__ void fit(int r, const float (&weight)[PIECES][COLUMNS][4]) {
        float largest = 0;
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                largest = fmaxf(largest, fabsf(weight[r / 2][c][r % 2 * 2 + i]));
            }
        }
        largest = warp_maximum<QUAD>(largest);
        float fitting = fitting_unit(largest, unit[r]);
        if (__any_sync(ALL_LANES, fitting != unit[r])) {
            sums.scale(r, fitting * inverse_power(unit[r]));
            unit[r] = fitting;
        }
    }

    float unit[2 * PIECES];
};
