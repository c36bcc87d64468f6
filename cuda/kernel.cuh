// The vocabulary of kernel files. With nvcc these macros expand to CUDA, with a host compiler to the emulator.
//
//   KERNEL(name, threads, arguments...) { ... }   a kernel that is launched by name; maximum block size
//   WIDE_KERNEL(name, threads, arguments...)      the same, one block per multiprocessor: allows more registers
//   RESIDENT_KERNEL(name, threads, blocks, arguments...)   the same, at least so many blocks per multiprocessor: limits
//                                                 registers
//   SHARED(float[ROWS][COLUMNS], tile);           static shared memory of the block
//   DYNAMIC_SHARED(float, pool);                  dynamic shared memory, whose size the launch sets
//   Exchanged<X>                                  an element of shared memory that one thread writes and others read; the
//                                                 emulator reports uses without __syncwarp() or __syncthreads() between
//   EXPORT(name, value);                          an integer that the host reads from the module
//   UNROLL for (...)                              a loop to unroll fully, so that arrays stay in registers
//   UNROLL_BY(2) for (...)                        a loop to unroll partially, which limits registers
#pragma once

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__

#define KERNEL(name, threads, ...) extern "C" __global__ void __launch_bounds__(threads) name(__VA_ARGS__)
#define WIDE_KERNEL(name, threads, ...) extern "C" __global__ void __launch_bounds__(threads, 1) name(__VA_ARGS__)
#define RESIDENT_KERNEL(name, threads, blocks, ...) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(__VA_ARGS__)
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

/// Allows an array type before the name in a declaration.
template <class T>
struct Same {
    using Type = T;
};

template <class X>
using Exchanged = X;

#else
#include "emulator/emulator.h"
#endif

/// Index of this thread's element in a launch of one thread per element.
__device__ inline int64_t element() {
    return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
