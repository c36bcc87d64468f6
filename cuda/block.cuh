// What the threads of a one-dimensional block of whole warps do together.
#pragma once

#include "warp.cuh"

/// The sum over all threads, in an order that depends on nothing; each gets it. Synchronises.
template <class T>
__device__ T block_sum(T value) {
    SHARED(T[WARP], sums); // [warps]
    value = warp_sum(value);
    __syncthreads(); // the sums of a call before may still be read
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

/// The largest of all threads; each gets it. Synchronises.
__device__ inline float block_maximum(float value) {
    SHARED(float[WARP], maxima); // [warps]
    value = warp_maximum(value);
    __syncthreads(); // the maxima of a call before may still be read
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
