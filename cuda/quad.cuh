// Four floats that one instruction reads or writes.
#pragma once

#include "kernel.cuh"

constexpr int QUAD = 4;

/// Aligned to 16 bytes, also in global memory.
struct alignas(16) Quad {
    float of[QUAD];
};

/// The elements of consecutive quads. An index beyond 3 into one quad would be undefined.
__device__ inline float* elements(Quad* quads) {
    return reinterpret_cast<float*>(quads);
}
