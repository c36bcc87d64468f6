// Tiles that one thread of a block's first warp group copies, as boxes of tensor maps, and that the other groups multiply.
//
// A tile's slot has two barriers: `full`, which waits for the bytes, and `empty`, at which every warp arrives that has read the
// tile. The n-th tile is in slot n % SLOTS; its phase has the parity n / SLOTS % 2.
#pragma once

#include "hopper.cuh"

/// Index of the thread's warp group among those that multiply, -1 for the one that copies; uniform over the warp.
__device__ __forceinline__ int group_index() {
    return __shfl_sync(ALL_LANES, static_cast<int>(threadIdx.x) / GROUP_THREADS - 1, 0);
}

/// Row of the elements r of a lane's sums, among the group's rows.
__device__ __forceinline__ int group_row(int r) {
    int thread = threadIdx.x % GROUP_THREADS;
    return thread / WARP * 16 + thread % WARP / 4 + 8 * r;
}

/// Column of the first element that a lane holds of eight.
__device__ __forceinline__ int group_column() {
    return threadIdx.x % 4 * 2;
}

/// Barriers of streamed tiles.
template <int SLOTS>
struct TileBarriers {
    Barrier full[SLOTS];
    Barrier empty[SLOTS];

    __device__ __forceinline__ void initialise(int readers) {
        UNROLL for (int slot = 0; slot < SLOTS; slot++) {
            ::initialise(full + slot, 1);
            ::initialise(empty + slot, readers);
        }
    }

    /// The barrier on which the copy of the n-th tile arrives, once its slot is free.
    __device__ __forceinline__ Barrier* begin(int n, int bytes) {
        wait_for(empty + n % SLOTS, n / SLOTS % 2 ^ 1);
        arrive_expecting(full + n % SLOTS, bytes);
        return full + n % SLOTS;
    }

    __device__ __forceinline__ void wait(int n) {
        wait_for(full + n % SLOTS, n / SLOTS % 2);
    }

    /// The warp has read the n-th tile. All lanes of a warp have come as far as its lane 0: products are waited for
    /// together.
    __device__ __forceinline__ void release(int n) {
        if (threadIdx.x % WARP == 0) {
            arrive(empty + n % SLOTS);
        }
    }

    /// Releases the tiles first .. end - 1, which the warp does not read.
    __device__ __forceinline__ void skip(int first, int end) {
        for (int n = first; n < end; n++) {
            wait(n);
            __syncwarp(); // all lanes have waited
            release(n);
        }
    }
};
