// The splits of the keys of attention_decode.cu and attention_merge.cu, what one passes to the other, and how their blocks find
// their texts.
//
// Each text has one part per `keys` keys, and `more` further parts. The parts of all texts are numbered consecutively, with
// gaps: those of text t begin at
//
//   floor(keys before the text / keys) + t (1 + more)
//
// which lies past the last part of the preceding text and is computed from the table of texts alone. Blocks without a part
// return at once.
#pragma once

#include "block.cuh"
#include "softmax_row.cuh"
#include "text_tile.cuh"

constexpr int SPLIT = 256;     // keys
constexpr int PAGE = 16;       // keys; PageTable.TOKENS
constexpr int ROW_NUMBERS = 6; // per row of a split: peak, sum, moment, distance, own and previous token's scores

/// What attention_decode.cu tells attention_merge.cu about a split of a row, or the same about several splits.
struct SplitRow {
    SoftmaxRow row;
    float own = BELOW_ALL;
    float before = BELOW_ALL;

    /// The numbers lie `stride` apart. Without `all`, only those on which the log-sum-exp depends are read.
    static __device__ SplitRow read(const float* numbers, int64_t stride, bool all) {
        SplitRow split;
        split.row.peak = numbers[0];
        split.row.sum = numbers[stride];
        if (all) {
            split.row.moment = numbers[2 * stride];
            split.row.distance = numbers[3 * stride];
            split.own = numbers[4 * stride];
            split.before = numbers[5 * stride];
        }
        return split;
    }

    __device__ void write(float* numbers, int64_t stride) const {
        float written[ROW_NUMBERS] = {row.peak, row.sum, row.moment, row.distance, own, before};
        UNROLL for (int i = 0; i < ROW_NUMBERS; i++) {
            numbers[i * stride] = written[i];
        }
    }

    __device__ void add(SplitRow other) {
        float highest = fmaxf(row.peak, other.row.peak);
        row.raise(highest);
        other.row.raise(highest);
        row.sum += other.row.sum;
        row.moment += other.row.moment;
        row.distance += other.row.distance;
        own = fmaxf(own, other.own);
        before = fmaxf(before, other.before);
    }

    /// Combines those of LANES neighbouring lanes.
    template <int LANES>
    __device__ void gather(bool all) {
        row.raise(warp_maximum<LANES>(row.peak));
        row.sum = warp_sum<LANES>(row.sum);
        if (all) {
            row.moment = warp_sum<LANES>(row.moment);
            row.distance = warp_sum<LANES>(row.distance);
            own = warp_maximum<LANES>(own);
            before = warp_maximum<LANES>(before);
        }
    }
};

/// Elements from one row of the sums of attention_decode to the next: a multiple of 4, because 16 bytes are read at once.
__device__ inline int64_t sums_stride(int headDim) {
    return (headDim + 3) / 4 * 4;
}

/// A text and one of its parts; text is -1 if there is none.
struct TextPart {
    int text;
    int index;

    /// The index of a text's first part among those of all texts.
    static __device__ int64_t first(const TextTile* tiles, int text, int keys, int more) {
        if (tiles == nullptr) {
            return 0;
        }
        int64_t start = tiles[text].keyStart + static_cast<int64_t>(tiles[text].firstPage) * PAGE;
        return start / keys + static_cast<int64_t>(text) * (1 + more);
    }
};

/// The part with this number, the block's; without a table, of the only text. Synchronises.
__device__ inline TextPart text_part(const TextTile* tiles, int texts, int keys, int more, unsigned part) {
    SHARED(TextPart, found);
    if (tiles == nullptr) {
        return {0, static_cast<int>(part)};
    }
    if (threadIdx.x == 0) {
        found = {-1, 0};
    }
    __syncthreads();
    for (int text = static_cast<int>(threadIdx.x); text < texts; text += static_cast<int>(blockDim.x)) {
        int own = tiles[text].keys;
        int64_t index = part - TextPart::first(tiles, text, keys, more);
        if (own > 0 && index >= 0 && index < more + (static_cast<int64_t>(own) + keys - 1) / keys) {
            found = {text, static_cast<int>(index)};
        }
    }
    __syncthreads();
    return found;
}
