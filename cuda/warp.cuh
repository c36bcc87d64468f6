// Reductions over the lanes of a warp. All lanes must participate; each receives the result.
#pragma once

#include "kernel.cuh"

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

/// The sum over each group of LANES neighbouring lanes, in a fixed order.
template <int LANES = WARP, class T>
__device__ T warp_sum(T value) {
    for (int lanes = LANES / 2; lanes > 0; lanes /= 2) {
        value += __shfl_xor_sync(ALL_LANES, value, lanes);
    }
    return value;
}

/// The maximum over each group of LANES neighbouring lanes.
template <int LANES = WARP>
__device__ inline float warp_maximum(float value) {
    for (int lanes = LANES / 2; lanes > 0; lanes /= 2) {
        value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, lanes));
    }
    return value;
}
