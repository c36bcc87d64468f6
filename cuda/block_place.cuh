// The order in which the blocks of a grid of tiles and heads start, where the first tiles take longest.
#pragma once

#include "kernel.cuh"

/// The tile and the head of a block. The first tiles of several heads come before their later ones, so that the last blocks
/// to start are short. Only `side` heads run side by side: as many as leave their streamed rows in the L2 cache.
struct BlockPlace {
    int tile;
    int head;

    /// Of the block with this index in the order of x, then y.
    static __device__ BlockPlace of(int block, int tiles, int heads, int side) {
        int first = block / (side * tiles) * side;
        int rest = block - first * tiles;
        side = min(side, heads - first);
        return {rest / side, first + rest % side};
    }
};
