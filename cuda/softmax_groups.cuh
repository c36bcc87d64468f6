// Online softmax of attention by warp groups, key tile by key tile, and its statistics. Tiles come from the last visible
// key down, so that most rows have a finite maximum from the first tile on.
#pragma once

#include "attention_groups.cuh"
#include "softmax_row.cuh"

/// Tiles of keys visible to a block's queries, from the last one down.
template <class Shape>
struct KeyTiles {
    int firstRow; // among the text's queries
    int first;    // key of the last tile to come
    int count;

    __device__ __forceinline__ explicit KeyTiles(const AttentionSpec& spec) {
        firstRow = spec.tile * Shape::KEPT;
        first = spec.firstKey(firstRow) / Shape::TILE * Shape::TILE;
        int end = spec.endKey(min(firstRow + Shape::KEPT, spec.queries) - 1);
        count = max(1, (end - first + Shape::TILE - 1) / Shape::TILE);
    }

    /// First key of the i-th tile.
    __device__ __forceinline__ int key(int i) const {
        return first + (count - 1 - i) * Shape::TILE;
    }
};

/// Scores of each row's own token and of the previous one, in units of log 2.
template <int KEPT>
struct DiagonalScores {
    Exchanged<float> own[KEPT];
    Exchanged<float> before[KEPT];
};

/// Online softmax of a warp group's rows.
///
/// PLAIN: the attention is causal and has no soft cap. Code for other attention slows down statistics by a ninth on an H100,
/// even when it is not executed.
template <class Shape, bool PLAIN>
class SoftmaxGroup {
public:
    using Products = Registers<float, Shape::PRODUCTS>;
    static constexpr int TILE = Shape::TILE;

    float shrink[2]; // of the last tile: by what sums over earlier tiles are to be multiplied

    /// The group's rows start at `row` in the block, at firstRow + row among the queries.
    __device__ __forceinline__ SoftmaxGroup(const AttentionSpec& spec, int firstRow, int row,
                                            DiagonalScores<Shape::KEPT>& diagonal)
        : spec(spec), firstRow(firstRow + row), row(row), diagonal(diagonal) {
        UNROLL for (int r = 0; r < 2; r++) {
            if (threadIdx.x % 4 == 0) {
                diagonal.own[row + group_row(r)] = BELOW_ALL;
                diagonal.before[row + group_row(r)] = BELOW_ALL;
            }
        }
        __syncwarp();
    }

    /// Turns the products of the keys from firstKey on into exp2(score - peak).
    __device__ __forceinline__ void tile(int firstKey, Products& s) {
        int lastRow = min(firstRow + Shape::ROWS, spec.queries) - 1;
        bool all = firstKey + TILE <= spec.endKey(firstRow) && firstKey >= spec.firstKey(lastRow);
        bool own = firstKey <= spec.position(lastRow) && firstKey + TILE > spec.position(firstRow);
        float scale = spec.scale * LOG2_E;
        if (!PLAIN && spec.softCap > 0) {
            soft_cap(spec, s);
            scale = 1;
        }
        if (!all || own || !(scale > 0)) {
            mask(firstKey, scale, s);
            scale = 1;
        } else if (firstKey + TILE == spec.position(firstRow) && threadIdx.x % GROUP_THREADS == 3) {
            diagonal.before[row] = s[TILE / 2 - 3] * scale; // row 0, the last column
        }
        bool causal = PLAIN || spec.causal != 0;
        float side = causal || firstKey < spec.position(firstRow) ? 1 : -1;
        UNROLL for (int r = 0; r < 2; r++) {
            shrink[r] = rows[r].raise(fmaxf(rows[r].peak, warp_maximum<4>(highest(s, r)) * scale));
        }
        add(firstKey, scale, causal || !own ? side : 0, s);
        if (!causal && own) {
            add_distances(firstKey, s);
        }
    }

    /// Whether sums over earlier tiles have to be multiplied, in some row of the warp.
    __device__ __forceinline__ bool shrinks() const {
        return __any_sync(ALL_LANES, shrink[0] != 1 || shrink[1] != 1);
    }

    /// After the last tile.
    __device__ __forceinline__ FinishedRow finish(int r, float sink) const {
        SoftmaxRow whole = rows[r];
        whole.gather<4>();
        return {whole, sink};
    }

    /// Writes the statistics; one lane per row.
    __device__ __forceinline__ void write(const FinishedRow& finished, int r, const Statistics& to, int head) const {
        int query = firstRow + group_row(r);
        __syncwarp(); // another lane may have stored the score of the row's own token
        if (to.logSumExp != nullptr && threadIdx.x % 4 == 0 && query < spec.queries) {
            finished.write(to, spec, head, query, diagonal.own[row + group_row(r)],
                           diagonal.before[row + group_row(r)]);
        }
    }

private:
    /// The largest of a lane's products in a row.
    static __device__ __forceinline__ float highest(Products& s, int r) {
        float high[4] = {s[2 * r], s[2 * r + 1], s[2 * r + 4], s[2 * r + 5]};
        UNROLL for (int c = 2; c < TILE / 8; c += 2) {
            UNROLL for (int i = 0; i < 4; i++) {
                high[i] = fmaxf(high[i], s[(c + i / 2) * 4 + r * 2 + i % 2]);
            }
        }
        return fmaxf(fmaxf(high[0], high[1]), fmaxf(high[2], high[3]));
    }

    /// Scores; BELOW_ALL where a key is masked.
    __device__ __forceinline__ void mask(int firstKey, float scale, Products& s) {
        UNROLL for (int r = 0; r < 2; r++) {
            int query = firstRow + group_row(r);
            int origin = firstKey + group_column();
            int first = spec.firstKey(query) - origin;
            int end = spec.endKey(query) - origin;
            int position = spec.position(query) - origin;
            UNROLL for (int c = 0; c < TILE / 8; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    float& x = s[c * 4 + r * 2 + i];
                    int column = c * 8 + i;
                    x = column >= first && column < end ? x * scale : BELOW_ALL;
                    if (column == position) {
                        diagonal.own[row + group_row(r)] = x;
                    }
                    if (column == position - 1) {
                        diagonal.before[row + group_row(r)] = x;
                    }
                }
            }
        }
    }

    /// Adds a tile to the rows' sums. Distances are measured from the tile's last key, so that all terms have the same
    /// sign; side is the side of the keys on which the queries lie.
    __device__ __forceinline__ void add(int firstKey, float scale, float side, Products& s) {
        float shift[2];
        float sum[2][2] = {};
        float beyond[2] = {};
        UNROLL for (int r = 0; r < 2; r++) {
            shift[r] = rows[r].peak > BELOW_ALL ? -rows[r].peak : 0; // 0 if every key is masked: exp2(BELOW_ALL) is 0
        }
        UNROLL for (int c = 0; c < TILE / 8; c++) {
            UNROLL for (int r = 0; r < 2; r++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    float& x = s[c * 4 + r * 2 + i];
                    float below = fmaf(x, scale, shift[r]);
                    x = fast_exp2(below);
                    sum[r][i] += x;
                    rows[r].moment = fmaf(x, below, rows[r].moment);
                    beyond[r] = fmaf(x, static_cast<float>(TILE - 1 - c * 8 - i), beyond[r]);
                }
            }
        }
        UNROLL for (int r = 0; r < 2; r++) {
            float total = sum[r][0] + sum[r][1];
            int distance = spec.position(firstRow + group_row(r)) - (firstKey + group_column() + TILE - 1);
            rows[r].sum += total;
            rows[r].distance =
                fmaf(side, fmaf(static_cast<float>(distance), total, beyond[r]), rows[r].distance);
        }
    }

    /// The distances of tiles with keys on both sides of the queries.
    __device__ __forceinline__ void add_distances(int firstKey, Products& exponential) {
        UNROLL for (int r = 0; r < 2; r++) {
            int position = spec.position(firstRow + group_row(r)) - firstKey - group_column();
            UNROLL for (int c = 0; c < TILE / 8; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    rows[r].distance = fmaf(exponential[c * 4 + r * 2 + i],
                                            static_cast<float>(abs(position - (c * 8 + i))), rows[r].distance);
                }
            }
        }
    }

    const AttentionSpec& spec;
    int firstRow; // of the group, among the queries
    int row;      // of the group, in the block
    DiagonalScores<Shape::KEPT>& diagonal;
    SoftmaxRow rows[2];
};

/// Whether a block's attention is plain, see SoftmaxGroup: uniform over the block.
__device__ __forceinline__ bool is_plain(const AttentionSpec& spec) {
    return spec.causal != 0 && !(spec.softCap > 0);
}
