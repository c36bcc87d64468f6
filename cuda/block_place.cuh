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

/// The place of this block, of whose heads `sharing` consecutive ones stream the same rows: `bytes` per tile of the grid.
__device__ __forceinline__ BlockPlace place_of_block(int bytes, int sharing) {
    constexpr int CACHE = 32 << 20; // most of the L2 cache of a large GPU, 50 MB
    int tiles = gridDim.x;
    int side = max(1, CACHE / bytes / tiles) * sharing;
    return BlockPlace::of(blockIdx.y * tiles + blockIdx.x, tiles, gridDim.y, side);
}
