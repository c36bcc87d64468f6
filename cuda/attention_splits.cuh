// The splits of the keys of attention_decode.cu and attention_merge.cu, and how their blocks find their texts.
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
#include "text_tile.cuh"

constexpr int SPLIT = 256;     // keys
constexpr int PAGE = 16;       // keys; PageTable.TOKENS
constexpr int ROW_NUMBERS = 6; // per row of a split: peak, sum, moment, distance, own and previous token's scores

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
