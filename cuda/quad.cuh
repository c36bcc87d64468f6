// Four elements that one instruction reads or writes.
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

/// Four elements that one instruction reads or writes.
template <class T>
struct alignas(QUAD * sizeof(T)) QuadOf {
    T of[QUAD];
};

/// Whether a tensor's quads lie where one instruction can read or write them.
template <class T>
__device__ inline bool has_quads(const T* tensor) {
    return reinterpret_cast<uintptr_t>(tensor) % sizeof(QuadOf<T>) == 0;
}
