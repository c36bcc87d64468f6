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

    /// The tiles that a warp group sees, whose rows start at firstRow among the queries. Whole are those before the rows' own
    /// tokens of which every row sees all keys, if scores grow with products.
    __device__ __forceinline__ SeenTiles seen(const AttentionSpec& spec, int firstRow) const {
        int lastRow = min(firstRow + Shape::ROWS, spec.queries) - 1;
        int visible = (spec.endKey(lastRow) - first + Shape::TILE - 1) / Shape::TILE;
        int before = (min(spec.position(firstRow), spec.keys) - first) / Shape::TILE;
        int outside = (max(spec.firstKey(lastRow) - first, 0) + Shape::TILE - 1) / Shape::TILE;
        Range whole{count - min(before, count), count - outside};
        if (whole.end <= whole.first || !(spec.scale > 0)) {
            whole = {count, count};
        }
        return {max(0, min(count - visible, count - 1)), whole};
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

    /// The group's rows start at `row` in the block, at firstRow + row among the queries.
    __device__ __forceinline__ SoftmaxGroup(const AttentionSpec& spec, int firstRow, int row,
                                            DiagonalScores<Shape::KEPT>& diagonal)
        : spec(spec), firstRow(firstRow + row), row(row), scale(spec.scale * LOG2_E),
          start(spec.position(firstRow + row)), diagonal(diagonal) {
        UNROLL for (int r = 0; r < 2; r++) {
            if (threadIdx.x % 4 == 0) {
                diagonal.own[row + group_row(r)] = BELOW_ALL;
                diagonal.before[row + group_row(r)] = BELOW_ALL;
            }
        }
        __syncwarp();
    }

    /// Turns the products of the keys from firstKey on, seen as KeyTiles::seen tells, into exp2(score - peak). Calls
    /// sums.shrink(factor) with what the sums over earlier tiles are to be multiplied by.
    template <class Seen, class Sums>
    __device__ __forceinline__ void tile(Seen, int firstKey, Products& s, Sums& sums) {
        float scale = this->scale;
        if (!PLAIN && spec.softCap > 0) {
            soft_cap(spec, s);
            scale = 1;
        }
        if (Seen::PARTIAL) {
            mask(firstKey, scale, s);
            scale = 1;
        } else if (firstKey + TILE == start && threadIdx.x % GROUP_THREADS == 3) {
            diagonal.before[row] = s[TILE / 2 - 3] * scale; // row 0, the last column
        }
        bool causal = PLAIN || spec.causal != 0;
        bool both = Seen::PARTIAL && !causal && own(firstKey);
        float side = causal || firstKey < start ? 1 : -1;
        float factor[2];
        UNROLL for (int r = 0; r < 2; r++) {
            float peak = fmaxf(rows[r].peak, warp_maximum<4>(highest(s, r)) * scale);
            factor[r] = rows[r].raise(peak, fast_exp2(rows[r].peak - peak));
        }
        sums.shrink(factor);
        add(firstKey, scale, both ? 0 : side, s);
        if (both) {
            add_distances(firstKey, s);
        }
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
    /// Whether the tile of keys from firstKey on holds the own token of one of the group's rows.
    __device__ __forceinline__ bool own(int firstKey) const {
        int lastRow = min(firstRow + Shape::ROWS, spec.queries) - 1;
        return firstKey <= spec.position(lastRow) && firstKey + TILE > spec.position(firstRow);
    }

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
        UNROLL for (int r = 0; r < 2; r++) {
            UNROLL for (int c = 0; c < TILE / 8; c++) {
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
            int distance = start + group_row(r) - (firstKey + group_column() + TILE - 1);
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
    float scale;  // from products to scores in units of log 2
    int start;    // position of the first row
    DiagonalScores<Shape::KEPT>& diagonal;
    SoftmaxRow rows[2];
};

/// Whether a block's attention is plain, see SoftmaxGroup: uniform over the block.
__device__ __forceinline__ bool is_plain(const AttentionSpec& spec) {
    return spec.causal != 0 && !(spec.softCap > 0);
}
