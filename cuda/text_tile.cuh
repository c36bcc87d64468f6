// How a launch covers the texts of a batch (Packing.java): a table on the device with one entry per tile of rows, in which a
// block finds its own by its index, or one entry per text. The host writes the table once per pass (TextTiles.java); in
// recorded decoding steps, decoding_step.cu updates it.
#pragma once

#include "kernel.cuh"

/// One tile of rows, or all rows of one text.
struct TextTile {
    int64_t statistics; // element of the statistics' vectors at which the text's [heads, capacity] begins
    int capacity;
    int slot; // of the text in AttentionStatistics
    int queries;
    int keys;
    int queryStart; // row of the text's first query in q, out and their gradients
    int keyStart;   // row of the text's first key in k, v and their gradients
    int tile;       // counted from the text's first row
    int firstPage;  // index of the text's first page in the table of pages, if its keys lie in pages
};

/// The vectors over tokens of text blockIdx.y, or of the only text.
struct TextVectors {
    int64_t first;
    int tokens;
    int capacity;

    __device__ TextVectors(const TextTile* tiles, int onlyTokens, int onlyCapacity)
        : first(tiles == nullptr ? 0 : tiles[blockIdx.y].statistics),
          tokens(tiles == nullptr ? onlyTokens : tiles[blockIdx.y].keys),
          capacity(tiles == nullptr ? onlyCapacity : tiles[blockIdx.y].capacity) {}

    /// Where a head's vector begins.
    __device__ int64_t of(int head) const {
        return first + static_cast<int64_t>(head) * capacity;
    }
};
