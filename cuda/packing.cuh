// Several texts in one launch: their rows follow one another in the packed tensors, and a block computes one tile of one
// text. The host lists the tiles, those with the most work first.
#pragma once

#include "softmax_row.cuh"

/// Packing.Text, and where it lies.
struct PackedText {
    int queries;
    int keys;
    int firstQuery; // row in the packed queries
    int firstKey;   // row in the packed keys
    int64_t statistics; // first element of its [heads, capacity]
    int capacity;
};

/// A tile of resident rows, counted from the first of its text.
struct TextTile {
    int text;
    int tile;
};

/// The text of a block, and its tile.
struct BlockText {
    PackedText text;
    int tile;
    AttentionSpec spec;

    /// The text's statistics, [heads, capacity]; a log-sum-exp alone is [heads, queries], from the text's first query on.
    __device__ Statistics of(const Statistics& all) const {
        bool alone = all.logDiagonal == nullptr;
        int64_t first = alone ? static_cast<int64_t>(spec.heads) * text.firstQuery : text.statistics;
        auto from = [&](float* x) { return x == nullptr ? nullptr : x + first; };
        return {from(all.logSumExp), from(all.logDiagonal), from(all.entropy),
                from(all.maximum),   from(all.previous),    from(all.distance)};
    }
};

/// Of the block with this index in x.
__device__ inline BlockText text_of_block(const PackedText* texts, const TextTile* tiles, int heads, int kvHeads,
                                          int headDim, float scale, int causal, int window, float softCap) {
    TextTile tile = tiles[blockIdx.x];
    PackedText text = texts[tile.text];
    return {text,
            tile.tile,
            {text.queries, text.keys, heads, kvHeads, headDim, scale, causal, window, softCap}};
}

#define PACKED_TEXTS \
    const PackedText *texts, const TextTile *tiles, int heads, int kvHeads, int headDim, float scale, int causal, \
        int window, float softCap
#define TEXT_OF_BLOCK text_of_block(texts, tiles, heads, kvHeads, headDim, scale, causal, window, softCap)
