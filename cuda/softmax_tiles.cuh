// Online softmax of attention on tensor cores, key tile by key tile, and its statistics.
#pragma once

#include "attention_tiles.cuh"
#include "softmax_row.cuh"

/// Takes the place of the output sums if only the softmax is needed.
struct NoSums {
    __device__ void scale(int, float) {}
};

/// Row state of a block in shared memory; registers are needed for products.
template <int WIDTH>
struct SoftmaxMemory {
    using Shape = TileShape<WIDTH>;

    Exchanged<float> own[Shape::KEPT];    // score of each row's own token
    Exchanged<float> before[Shape::KEPT]; // score of the previous token
    float peak[Shape::ROWS][TILE_THREADS];
    float sum[Shape::ROWS][TILE_THREADS];
    float moment[Shape::ROWS][TILE_THREADS];
    float distance[Shape::ROWS][TILE_THREADS];
};

/// Online softmax of a warp's rows.
template <int WIDTH>
class SoftmaxTiles {
public:
    using Shape = TileShape<WIDTH>;
    using Products = typename Shape::Products;

    /// The warp's rows start at `row` in the block, at firstRow + row in the text.
    __device__ SoftmaxTiles(const AttentionSpec& spec, int firstRow, int row, SoftmaxMemory<WIDTH>& memory)
        : spec(spec), firstRow(firstRow + row), row(row), memory(memory) {
        int lane = threadIdx.x % WARP;
        if (lane < Shape::WARP_ROWS) {
            memory.own[row + lane] = memory.before[row + lane] = BELOW_ALL;
        }
        __syncwarp();
        UNROLL for (int r = 0; r < Shape::ROWS; r++) {
            memory.peak[r][threadIdx.x] = BELOW_ALL;
            memory.sum[r][threadIdx.x] = memory.moment[r][threadIdx.x] = memory.distance[r][threadIdx.x] = 0;
        }
    }

    /// Turns products into exp2(score - peak). If the peak of any row r increases, the whole warp calls
    /// sums.scale(r, factor) to rescale the sums over earlier tiles.
    template <class Sums>
    __device__ void tile(const TileMask& mask, int firstKey, Products& product, Sums& sums) {
        float scale = cap_and_mask(mask, firstKey, product);
        float side = spec.causal ? 1 : mask.diagonal ? 0 : firstKey < spec.position(firstRow) ? 1 : -1;
        UNROLL for (int r = 0; r < Shape::ROWS; r++) {
            float highest = BELOW_ALL;
            UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    highest = fmaxf(highest, product[r / 2][c][r % 2 * 2 + i]);
                }
            }
            SoftmaxRow part = recall(r);
            float shrink = part.raise(fmaxf(part.peak, warp_maximum<QUAD>(highest) * scale));
            if (__any_sync(ALL_LANES, shrink != 1)) {
                sums.scale(r, shrink);
            }
            add(part, firstKey, r, scale, side, product);
            remember(r, part);
        }
        if (side == 0) {
            add_distances(firstKey, product);
        }
    }

    /// Turns products into scores in units of log 2; BELOW_ALL where a key is masked.
    __device__ void score(const TileMask& mask, int firstKey, Products& product) {
        float scale = cap_and_mask(mask, firstKey, product);
        UNROLL for (int p = 0; p < Shape::PIECES; p++) {
            UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                UNROLL for (int i = 0; i < 4; i++) {
                    product[p][c][i] *= scale;
                }
            }
        }
    }

    /// After the last tile.
    __device__ FinishedRow finish(int r, float sink) const {
        SoftmaxRow whole = recall(r);
        whole.gather<QUAD>();
        return {whole, sink};
    }

    /// Writes the statistics; one lane per row.
    __device__ void write(const FinishedRow& finished, int r, const Statistics& to, int head) const {
        int query = firstRow + lane_row(r);
        __syncwarp(); // another lane may have stored the score of the row's own token
        if (to.logSumExp != nullptr && threadIdx.x % QUAD == 0 && query < spec.queries) {
            finished.write(to, spec, head, query, memory.own[row + lane_row(r)],
                           memory.before[row + lane_row(r)]);
        }
    }

private:
    /// Applies soft cap and mask if needed; returns the factor that turns the products into scores.
    __device__ float cap_and_mask(const TileMask& mask, int firstKey, Products& product) {
        float scale = spec.scale * LOG2_E;
        if (spec.softCap > 0) {
            soft_cap(spec, product);
            scale = 1;
        }
        if (!mask.all || mask.diagonal || !(scale > 0)) {
            apply_mask(firstKey, scale, product);
            scale = 1;
        }
        return scale;
    }

    __device__ SoftmaxRow recall(int r) const {
        return {memory.peak[r][threadIdx.x], memory.sum[r][threadIdx.x], memory.moment[r][threadIdx.x],
                memory.distance[r][threadIdx.x]};
    }

    __device__ void remember(int r, const SoftmaxRow& part) {
        memory.peak[r][threadIdx.x] = part.peak;
        memory.sum[r][threadIdx.x] = part.sum;
        memory.moment[r][threadIdx.x] = part.moment;
        memory.distance[r][threadIdx.x] = part.distance;
    }

    /// Adds part of a row. Distances are measured from the tile's last key, so that all terms have the same sign; side
    /// is the side of the keys on which the query lies.
    __device__ void add(SoftmaxRow& part, int firstKey, int r, float scale, float side, Products& product) const {
        float shift = part.peak > BELOW_ALL ? -part.peak : 0; // 0 if every key is masked: exp2(BELOW_ALL) is 0
        float sum = 0;
        float beyond = 0;
        UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                float& element = product[r / 2][c][r % 2 * 2 + i];
                float below = fmaf(element, scale, shift);
                element = fast_exp2(below);
                sum += element;
                part.moment = fmaf(element, below, part.moment);
                beyond = fmaf(element, static_cast<float>(Shape::TILE - 1 - c * 8 - i), beyond);
            }
        }
        part.sum += sum;
        int distance = spec.position(firstRow + lane_row(r)) - (firstKey + lane_column(0, 0) + Shape::TILE - 1);
        part.distance = fmaf(side, fmaf(static_cast<float>(distance), sum, beyond), part.distance);
    }

    /// The same for tiles with keys on both sides of the queries.
    __device__ void add_distances(int firstKey, const Products& exponential) {
        UNROLL for (int r = 0; r < Shape::ROWS; r++) {
            int position = spec.position(firstRow + lane_row(r));
            float sum = 0;
            UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    int distance = abs(position - (firstKey + lane_column(c, i)));
                    sum = fmaf(exponential[r / 2][c][r % 2 * 2 + i], static_cast<float>(distance), sum);
                }
            }
            memory.distance[r][threadIdx.x] += sum;
        }
    }

    /// BELOW_ALL where a key is masked, the score elsewhere.
    __device__ void apply_mask(int firstKey, float scale, Products& product) {
        UNROLL for (int r = 0; r < Shape::ROWS; r++) {
            int query = firstRow + lane_row(r);
            int origin = firstKey + lane_column(0, 0);
            int first = recomputed(spec.firstKey(query) - origin);
            int end = recomputed(spec.endKey(query) - origin);
            UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    float& element = product[r / 2][c][r % 2 * 2 + i];
                    element = c * 8 + i >= first && c * 8 + i < end ? element * scale : BELOW_ALL;
                }
            }
            int position = recomputed(spec.position(query) - origin);
            UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    float element = product[r / 2][c][r % 2 * 2 + i];
                    if (c * 8 + i == position) {
                        memory.own[row + lane_row(r)] = element;
                    }
                    if (c * 8 + i == position - 1) {
                        memory.before[row + lane_row(r)] = element;
                    }
                }
            }
        }
    }

    const AttentionSpec& spec;
    int firstRow; // of the warp, in the text
    int row;      // of the warp, in the block
    SoftmaxMemory<WIDTH>& memory;
};
