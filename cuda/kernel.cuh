// What every kernel file is written in. With nvcc these words are CUDA; with a host compiler, the emulator.
//
//   KERNEL(name, threads, arguments...) { ... }   a kernel found by its name, in blocks of at most so many threads
//   WIDE_KERNEL(name, threads, arguments...)      one that keeps so much in registers that a block may have them all
//   SHARED(float[ROWS][COLUMNS], tile);           static shared memory of the block
//   DYNAMIC_SHARED(float, pool);                  the block's shared memory of the length that the launch says
//   EXPORT(name, value);                          a number the host reads back from the module
//   UNROLL for (...)                              a loop that must not remain, for the sake of arrays in registers
//   UNROLL_BY(2) for (...)                        a loop of which so many rounds are one, for the sake of few registers
#pragma once

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__

#define KERNEL(name, threads, ...) extern "C" __global__ void __launch_bounds__(threads) name(__VA_ARGS__)
#define WIDE_KERNEL(name, threads, ...) \
    extern "C" __global__ void __launch_bounds__(threads, 1) name(__VA_ARGS__)
#define SHARED(type, name) __shared__ typename Same<type>::Type name
#define DYNAMIC_SHARED(type, name) extern __shared__ __align__(1024) type name[]
#define EXPORT(name, value) \
    extern "C" { \
    __constant__ int name = value; \
    } \
    static_assert(value >= 0, "")
#define UNROLL _Pragma("unroll")
#define UNROLL_BY(times) _Pragma(TEXT(unroll times))
#define TEXT(words) #words

/// Lets an array type stand before the name it declares.
template <class T>
struct Same {
    using Type = T;
};

#else
#include "emulator/emulator.h"
#endif

/// The element of a launch of one thread per element.
__device__ inline int64_t element() {
    return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
