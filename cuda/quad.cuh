// Four elements that one instruction reads or writes.
#pragma once

#include "tensor_core.cuh"

constexpr int QUAD = 4;

template <class T>
struct alignas(QUAD * sizeof(T)) QuadOf {
    T of[QUAD];
};

using Quad = QuadOf<float>;

/// The elements of consecutive quads. An index beyond 3 into one quad would be undefined.
__device__ inline float* elements(Quad* quads) {
    return reinterpret_cast<float*>(quads);
}

/// Whether a tensor's quads lie where one instruction can read or write them.
template <class T>
__device__ inline bool has_quads(const T* tensor) {
    return reinterpret_cast<uintptr_t>(tensor) % sizeof(QuadOf<T>) == 0;
}

__device__ inline Quad read_quad(const float* from) {
    return *reinterpret_cast<const Quad*>(from);
}

/// Rounds to the destination's type.
template <class T>
__device__ void write_quad(T* to, const Quad& quad) {
    QuadOf<T> rounded;
    UNROLL
    for (int i = 0; i < QUAD; i++) {
        rounded.of[i] = from_float<T>(quad.of[i]);
    }
    *reinterpret_cast<QuadOf<T>*>(to) = rounded;
}
