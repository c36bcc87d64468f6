// Warp-level operations on tensor cores and asynchronous copies; contains all PTX.
//
//   Bf16, F16                             16-bit floats; to_float, from_float<T>, rounding to nearest
//   pack<T>(low, high)                    two of them in one register
//   multiply<T>(sum, a, b)                sum [16, 8] += a [16, 16] b [16, 8], fp32 sums; lane l holds
//                                           a  rows l / 4, + 8; columns 2 (l % 4), + 1, and those + 8
//                                           b  rows 2 (l % 4), + 1, and those + 8; column l / 4
//                                           sum  rows l / 4, + 8; columns 2 (l % 4), + 1
//   load_matrices(piece, row)             four 8 x 8 matrices; lane l gives the address of row l % 8 of matrix l / 8,
//                                         and receives elements 2 (l % 4), + 1 of row l / 4 of each
//   load_transposed(piece, row)           the same for the transposed matrices
//   read_chunk(to, from)                  one 16-byte load from global memory, aligned to 16
//   prefetch(line)                        starts to bring the 128 bytes around an address in global memory into the L2 cache
//   copy_chunk(to, from, there)           asynchronous 16-byte copy to shared memory, zeros unless there; aligned to 16
//   copy_word(to, from, there)            the same for 4 bytes
//   end_copies(), wait_for_copies<N>()    ends a group of copies; waits for all but the N newest groups of this thread
//   recomputed(x)                         returns x; derived values are recomputed, not kept in registers
//   fast_exp2(x), fast_reciprocal(x)      within 2 ulp; results below 2^-126 are 0
//
// All lanes of a warp must participate in products and loads of matrices. See the PTX ISA: mma.m16n8k16, ldmatrix, prefetch,
// cp.async, ex2, rcp.
#pragma once

#include "warp.cuh"

#ifdef __CUDACC__

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstring>

using Bf16 = __nv_bfloat16;
using F16 = __half;

__device__ inline float to_float(Bf16 x) {
    return __bfloat162float(x);
}

__device__ inline float to_float(F16 x) {
    return __half2float(x);
}

template <class T>
__device__ T from_float(float x);

template <>
__device__ inline Bf16 from_float(float x) {
    return __float2bfloat16_rn(x);
}

template <>
__device__ inline F16 from_float(float x) {
    return __float2half_rn(x);
}

template <class T>
constexpr bool IS_BF16 = false;
template <>
constexpr bool IS_BF16<Bf16> = true;

template <class T>
__device__ unsigned pack(float low, float high) {
    unsigned pair;
    if constexpr (IS_BF16<T>) {
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    } else {
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    }
    return pair;
}

#define MULTIPLY(TYPE) \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." TYPE "." TYPE \
                 ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
                 : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]) \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

template <class T>
__device__ void multiply(float (&sum)[4], const unsigned (&a)[4], const unsigned* b) {
    if constexpr (IS_BF16<T>) {
        MULTIPLY("bf16");
    } else {
        MULTIPLY("f16");
    }
}

#define LOAD_MATRICES(HOW) \
    asm volatile("ldmatrix.sync.aligned.m8n8.x4" HOW ".shared.b16 {%0, %1, %2, %3}, [%4];" \
                 : "=r"(piece[0]), "=r"(piece[1]), "=r"(piece[2]), "=r"(piece[3]) \
                 : "r"(static_cast<unsigned>(__cvta_generic_to_shared(row))))

template <class T>
__device__ void load_matrices(unsigned (&piece)[4], const T* row) {
    LOAD_MATRICES("");
}

template <class T>
__device__ void load_transposed(unsigned (&piece)[4], const T* row) {
    LOAD_MATRICES(".trans");
}

template <class T>
__device__ void read_chunk(T* to, const T* from) {
    uint4 chunk = *reinterpret_cast<const uint4*>(from); // not memcpy from there: it may become four loads
    memcpy(to, &chunk, 16);
}

__device__ inline void prefetch(const void* line) {
    asm volatile("prefetch.global.L2 [%0];" ::"l"(__cvta_generic_to_global(line)));
}

template <class T>
__device__ void copy_chunk(T* to, const T* from, bool there) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(
                     static_cast<unsigned>(__cvta_generic_to_shared(to))),
                 "l"(__cvta_generic_to_global(from)), "r"(there ? 16 : 0)
                 : "memory");
}

__device__ inline void copy_word(float* to, const float* from, bool there) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(
                     static_cast<unsigned>(__cvta_generic_to_shared(to))),
                 "l"(__cvta_generic_to_global(from)), "r"(there ? 4 : 0)
                 : "memory");
}

__device__ inline void end_copies() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int NEWEST>
__device__ void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(NEWEST) : "memory");
}

__device__ inline int recomputed(int x) {
    asm volatile("" : "+r"(x));
    return x;
}

__device__ inline float fast_exp2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

__device__ inline float fast_reciprocal(float x) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

#else
#include "emulator/tensor_core.h"
#endif

// fp32 overloads, so that templates accept all three types

__device__ inline float to_float(float x) {
    return x;
}

template <>
__device__ inline float from_float(float x) {
    return x;
}
