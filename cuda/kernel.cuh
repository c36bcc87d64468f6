// The vocabulary of kernel files. With nvcc these macros expand to CUDA, with a host compiler to the emulator.
//
//   KERNEL(name, threads, arguments...) { ... }   a kernel that is launched by name; maximum block size
//   WIDE_KERNEL(name, threads, arguments...)      the same, one block per multiprocessor: allows more registers
//   RESIDENT_KERNEL(name, threads, blocks, arguments...)   the same, at least so many blocks per multiprocessor: limits
//                                                 registers
//   CLUSTER_KERNEL(name, threads, blocks, arguments...)    every `blocks` neighbours along x form a cluster; grid x is a multiple
//                                                 of `blocks`; compute capability 9.0 or newer
//   SHARED(float[ROWS][COLUMNS], tile);           static shared memory of the block
//   DYNAMIC_SHARED(float, pool);                  dynamic shared memory, whose size the launch sets
//   Exchanged<X>                                  an element of shared memory that one thread writes and others read; the
//                                                 emulator reports uses without __syncwarp() or __syncthreads() between
//   EXPORT(name, value);                          an integer that the host reads from the module
//   BEGINS_EARLY(name);                           a kernel whose blocks may begin while the launch before still runs: every
//                                                 thread calls await_turn() first, except for reads of what that launch does
//                                                 not write
//   await_turn();                                 waits until the launches before have ended and what they wrote is visible;
//                                                 then the next launch may begin. Compute capability 9.0 or newer; elsewhere
//                                                 launches follow one another anyway
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
#define CLUSTER_KERNEL(name, threads, blocks, ...) \
    extern "C" __global__ void __cluster_dims__(blocks, 1, 1) __launch_bounds__(threads) name(__VA_ARGS__)
#define SHARED(type, name) __shared__ typename Same<type>::Type name
#define DYNAMIC_SHARED(type, name) extern __shared__ __align__(1024) type name[]
#define EXPORT(name, value) \
    extern "C" { \
    __constant__ int name = value; \
    } \
    static_assert(value >= 0, "")
#define BEGINS_EARLY(name) EXPORT(name##_begins_early, 1)
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

/// Programmatic dependent launch: CUDA Programming Guide; PTX ISA, griddepcontrol. The next launch is let in after the wait, not
/// before it, so that what it reads early has only the launch directly before it to avoid.
__device__ __forceinline__ void await_turn() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;\ngriddepcontrol.launch_dependents;" ::: "memory");
#endif
}

#else
#include "emulator/emulator.h"
#endif

/// Index of this thread's element in a launch of one thread per element.
__device__ inline int64_t element() {
    return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
