// Reductions over a one-dimensional block of whole warps.
#pragma once

#include "warp.cuh"

/// The sum over all threads, in a fixed order, returned to every thread. Synchronises.
template <class T>
__device__ T block_sum(T value) {
    SHARED(T[WARP], sums); // [warps]
    value = warp_sum(value);
    __syncthreads(); // sums of an earlier call may still be read
    if (threadIdx.x % WARP == 0) {
        sums[threadIdx.x / WARP] = value;
    }
    __syncthreads();
    T total = 0;
    for (unsigned warp = 0; warp < blockDim.x / WARP; warp++) {
        total += sums[warp];
    }
    return total;
}

/// The maximum over all threads, returned to every thread. Synchronises.
__device__ inline float block_maximum(float value) {
    SHARED(float[WARP], maxima); // [warps]
    value = warp_maximum(value);
    __syncthreads(); // maxima of an earlier call may still be read
    if (threadIdx.x % WARP == 0) {
        maxima[threadIdx.x / WARP] = value;
    }
    __syncthreads();
    float largest = maxima[0];
    for (unsigned warp = 1; warp < blockDim.x / WARP; warp++) {
        largest = fmaxf(largest, maxima[warp]);
    }
    return largest;
}
