// Packed texts and tensor maps of heads, for the kernels for Hopper.
#pragma once

#include "attention_text.h"
#include "tensor_maps.h"

#include <algorithm>

/// Rows of several texts, as the kernels see them.
struct Packed {
    std::vector<TextTile> texts;
    int queries = 0;
    int keys = 0;
    int64_t statistics = 0; // elements

    void add(int queriesOfText, int keysOfText, int heads, int capacity) {
        texts.push_back({statistics, capacity, 0, queriesOfText, keysOfText, queries, keys, 0, 0});
        queries += queriesOfText;
        keys += keysOfText;
        statistics += static_cast<int64_t>(heads) * capacity;
    }

    /// The tiles of all texts.
    std::vector<TextTile> tiles(int TextTile::* rows, int size) const {
        std::vector<TextTile> all;
        for (TextTile text : texts) {
            for (text.tile = 0; text.tile < pieces(text.*rows, size); text.tile++) {
                all.push_back(text);
            }
        }
        std::reverse(all.begin(), all.end()); // any order is right; the last tiles of a causal text are the longest
        return all;
    }
};

template <class T>
std::string named(const char* family, int headDim) {
    return withWidth<T>(family, std::max(headDim, 33));
}

/// Boxes of one head's rows.
template <class T>
TensorMap map_of_heads(const std::vector<T>& x, int heads, int headDim, int boxRows) {
    auto width = static_cast<uint64_t>(headDim);
    return map_of(x.data(), {width, static_cast<uint64_t>(heads), x.size() / width / heads}, {width, heads * width},
                  {64, 1, static_cast<uint32_t>(boxRows)});
}
