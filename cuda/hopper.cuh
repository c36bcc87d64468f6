// Barriers, copies and products that run beside the threads of a block; contains all PTX of sm_90a.
//
//   Barrier                               in shared memory; a phase is complete once so many threads have arrived, and
//                                         all expected bytes; then the next phase begins
//   initialise(barrier, arrivals)         by one thread, followed by barriers_initialised() and __syncthreads()
//   arrive(barrier)                       one arrival
//   arrive_expecting(barrier, bytes)      one arrival; the phase also waits for so many bytes of copies
//   wait_for(barrier, parity)             until the phase of this parity is complete; they alternate, 0 first. Parity 1
//                                         of a new barrier counts as complete
//
//   TensorMap                             a tensor in global memory and its boxes, made by the host; a kernel's parameter,
//                                         const __grid_constant__
//   load_box(to, map, barrier, x, y, z)   one thread starts the copy of the box whose first element is at these indices,
//                                         axis 0 first; elements outside the tensor become 0, and count as bytes. The
//                                         first element's bytes along axis 0 are a multiple of 16: elsewhere an H100 reports
//                                         an illegal instruction. `to` is aligned to 128 bytes, to 1024 where products read it
//   copied(element)                       an element of a box that has arrived
//   prefetch_map(map)                     fetches the map itself
//   publish()                             what this thread has written becomes visible to copies and products
//
//   Registers<X, N>                       registers that products read or write, and that nobody else may touch meanwhile
//   describe_tile(tile, leading, stride)  the descriptor of a tile whose rows have 128 bytes, as boxes with the swizzle of
//                                         128 bytes lie: eight rows in 1024 bytes. stride: bytes from eight rows to the
//                                         next. leading: bytes from 64 columns to the next, of tiles that are contiguous
//                                         along the columns of the product
//   advance(descriptor, bytes)            the descriptor of the same tile from so many bytes on
//   begin_products(registers...)          after the threads have written these registers, before a product uses them
//   multiply_tiles<T>(sum, a, b, accumulate)    sum [64, 2 N] (+)= a [64, 16] b [2 N, 16]'; a, b descriptors
//   multiply_registers<T>(sum, a, at, b)        sum [64, 2 N] += a [64, 16] b [16, 2 N]; a in the registers at .. at + 3
//   commit_products()                     ends a group of products
//   wait_for_products<K>(registers...)    until all but the newest K groups are complete; these registers are in them
//   settle(x)                             computes x, and what comes before it in this code, before anything that follows:
//                                         ptxas 13.0 moves a wait up past arithmetic that was meant to run beside products
//
//   give_registers<N>(), take_registers<N>()    all warps of a group lower or raise their registers per thread to N; the
//                                         block's sum must fit. No __trap() or assert in kernels that do: ptxas 13.0 then
//                                         spills
//   sync_threads(barrier, threads), arrive_threads(barrier, threads)    barriers 1 to 15, for some threads of a block
//
// A warp group is four warps, the first of which has a multiple of four as its index; warp w of the group computes the
// rows 16 w .. 16 w + 15 of its products, and lane l of it holds
//
//   sum  element 4 c + 2 r + i: row l / 4 + 8 r; column 8 c + 2 (l % 4) + i
//   a    two numbers per register, the same rows and columns: pack(sum[2 j], sum[2 j + 1]) is register j
//
// See the PTX ISA: mbarrier, cp.async.bulk.tensor, wgmma.mma_async, setmaxnreg, barrier, fence.proxy.
#pragma once

#include "tensor_core.cuh"

constexpr int GROUP_THREADS = 4 * WARP;

// Addresses in shared memory are below 2^18: the sum does not leave its 14 bits.
__device__ __forceinline__ uint64_t advance(uint64_t descriptor, unsigned bytes) {
    unsigned low = static_cast<unsigned>(descriptor) + (bytes >> 4);
    return descriptor >> 32 << 32 | low;
}

#ifdef __CUDACC__

struct Barrier {
    uint64_t word;
};

struct alignas(64) TensorMap {
    unsigned char bytes[128];
};

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
    return static_cast<unsigned>(__cvta_generic_to_shared(pointer));
}

__device__ __forceinline__ void initialise(Barrier* barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}

__device__ __forceinline__ void publish() {
    asm volatile("fence.proxy.async;" ::: "memory");
}

__device__ __forceinline__ void barriers_initialised() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    publish();
}

__device__ __forceinline__ void arrive(Barrier* barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}

__device__ __forceinline__ void arrive_expecting(Barrier* barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
                 : "memory");
}

__device__ __forceinline__ void wait_for(Barrier* barrier, unsigned parity) {
    unsigned complete;
    do {
        asm volatile("{\n.reg .pred p;\n"
                     "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
                     "selp.u32 %0, 1, 0, p;\n}\n"
                     : "=r"(complete)
                     : "r"(shared_address(barrier)), "r"(parity)
                     : "memory");
    } while (complete == 0);
}

__device__ __forceinline__ void sync_threads(int barrier, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

__device__ __forceinline__ void arrive_threads(int barrier, int threads) {
    asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory");
}

__device__ __forceinline__ void prefetch_map(const TensorMap& map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

#define LOAD_BOX(AXES, PLACE, BARRIER, ...) \
    asm volatile("cp.async.bulk.tensor." AXES ".shared::cluster.global.tile.mbarrier::complete_tx::bytes" \
                 " [%0], [%1, {" PLACE "}], [%" BARRIER "];" ::"r"(shared_address(to)), \
                 "l"(&map), __VA_ARGS__, "r"(shared_address(barrier)) \
                 : "memory")

__device__ __forceinline__ void load_box(void* to, const TensorMap& map, Barrier* barrier, int x) {
    LOAD_BOX("1d", "%2", "3", "r"(x));
}

__device__ __forceinline__ void load_box(void* to, const TensorMap& map, Barrier* barrier, int x, int y) {
    LOAD_BOX("2d", "%2, %3", "4", "r"(x), "r"(y));
}

__device__ __forceinline__ void load_box(void* to, const TensorMap& map, Barrier* barrier, int x, int y, int z) {
    LOAD_BOX("3d", "%2, %3, %4", "5", "r"(x), "r"(y), "r"(z));
}

template <class X>
__device__ __forceinline__ const X& copied(const X& element) {
    return element;
}

template <int REGISTERS>
__device__ __forceinline__ void give_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}

template <int REGISTERS>
__device__ __forceinline__ void take_registers() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(REGISTERS));
}

template <class X, int N>
struct Registers {
    X x[N];

    __device__ __forceinline__ X& operator[](int i) {
        return x[i];
    }
};

// The compiler must not move uses of registers across the start and the end of products that it does not know of.

__device__ __forceinline__ void pin(float& x) {
    asm volatile("" : "+f"(x)::"memory");
}

__device__ __forceinline__ void pin(unsigned& x) {
    asm volatile("" : "+r"(x)::"memory");
}

template <class X, int N>
__device__ __forceinline__ void pin(Registers<X, N>& registers) {
    UNROLL for (int i = 0; i < N; i++) {
        pin(registers.x[i]);
    }
}

// Were x exactly -pi, a pause of no time would follow.
__device__ __forceinline__ void settle(float x) {
    asm volatile("{\n.reg .pred p;\nsetp.eq.f32 p, %0, 0fC0490FDB;\nvote.sync.any.pred p, p, 0xffffffff;\n"
                 "@p nanosleep.u32 0;\n}" ::"f"(x)
                 : "memory");
}

template <class... R>
__device__ __forceinline__ void begin_products(R&... registers) {
    (pin(registers), ...);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}

__device__ __forceinline__ void commit_products() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

template <int NEWEST, class... R>
__device__ __forceinline__ void wait_for_products(R&... registers) {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(NEWEST) : "memory");
    (pin(registers), ...);
}

__device__ __forceinline__ uint64_t describe_tile(const void* tile, unsigned leading, unsigned stride) {
    constexpr uint64_t SWIZZLE_128 = 1ull << 62;
    return static_cast<uint64_t>((shared_address(tile) & 0x3ffff) >> 4) | static_cast<uint64_t>(leading >> 4) << 16 |
           static_cast<uint64_t>(stride >> 4) << 32 | SWIZZLE_128;
}

// Operands 0 .. COUNT - 1 in the text of an instruction, and the sums that they stand for

#define TEN(T) "%" #T "0, %" #T "1, %" #T "2, %" #T "3, %" #T "4, %" #T "5, %" #T "6, %" #T "7, %" #T "8, %" #T "9"
#define OPERANDS_30 TEN() ", " TEN(1) ", " TEN(2)
#define OPERANDS_32 OPERANDS_30 ", %30, %31"
#define OPERANDS_40 OPERANDS_30 ", " TEN(3)
#define OPERANDS_48 OPERANDS_40 ", %40, %41, %42, %43, %44, %45, %46, %47"
#define OPERANDS_64 OPERANDS_40 ", " TEN(4) ", " TEN(5) ", %60, %61, %62, %63"

#define SUM(I) "+f"(sum.x[I])
#define EIGHT(I) SUM(I), SUM(I + 1), SUM(I + 2), SUM(I + 3), SUM(I + 4), SUM(I + 5), SUM(I + 6), SUM(I + 7)
#define SUMS_32 EIGHT(0), EIGHT(8), EIGHT(16), EIGHT(24)
#define SUMS_40 SUMS_32, EIGHT(32)
#define SUMS_48 SUMS_40, EIGHT(40)
#define SUMS_64 SUMS_48, EIGHT(48), EIGHT(56)

#define WGMMA(TYPE, COLUMNS) "wgmma.mma_async.sync.aligned.m64n" #COLUMNS "k16.f32." TYPE "." TYPE " "

// Signs +, +; in registers: b is contiguous along its columns.
#define MULTIPLY_TILES(TYPE, COLUMNS, COUNT, A, B, ACCUMULATE) \
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" #ACCUMULATE ", 0;\n" WGMMA(TYPE, COLUMNS) "{" OPERANDS_##COUNT \
                 "}, %" #A ", %" #B ", p, 1, 1, 0, 0;\n}\n" \
                 : SUMS_##COUNT \
                 : "l"(a), "l"(b), "r"(static_cast<int>(accumulate)))

#define MULTIPLY_REGISTERS(TYPE, COLUMNS, COUNT, A, B, C, D, TILE) \
    asm volatile(WGMMA(TYPE, COLUMNS) "{" OPERANDS_##COUNT "}, {%" #A ", %" #B ", %" #C ", %" #D "}, %" #TILE \
                 ", 1, 1, 1, 1;\n" \
                 : SUMS_##COUNT \
                 : "r"(a.x[at]), "r"(a.x[at + 1]), "r"(a.x[at + 2]), "r"(a.x[at + 3]), "l"(b))

#define OF_TYPE(MULTIPLY, ...) \
    if constexpr (IS_BF16<T>) { \
        MULTIPLY("bf16", __VA_ARGS__); \
    } else { \
        MULTIPLY("f16", __VA_ARGS__); \
    }

template <class T, int N>
__device__ __forceinline__ void multiply_tiles(Registers<float, N>& sum, uint64_t a, uint64_t b, bool accumulate) {
    static_assert(N == 32 || N == 40 || N == 48 || N == 64, "columns: 64, 80, 96, 128");
    if constexpr (N == 32) {
        OF_TYPE(MULTIPLY_TILES, 64, 32, 32, 33, 34)
    } else if constexpr (N == 40) {
        OF_TYPE(MULTIPLY_TILES, 80, 40, 40, 41, 42)
    } else if constexpr (N == 48) {
        OF_TYPE(MULTIPLY_TILES, 96, 48, 48, 49, 50)
    } else {
        OF_TYPE(MULTIPLY_TILES, 128, 64, 64, 65, 66)
    }
}

template <class T, int N, int M>
__device__ __forceinline__ void multiply_registers(Registers<float, N>& sum, Registers<unsigned, M>& a, int at,
                                                   uint64_t b) {
    static_assert(N == 32 || N == 40 || N == 48 || N == 64, "columns: 64, 80, 96, 128");
    if constexpr (N == 32) {
        OF_TYPE(MULTIPLY_REGISTERS, 64, 32, 32, 33, 34, 35, 36)
    } else if constexpr (N == 40) {
        OF_TYPE(MULTIPLY_REGISTERS, 80, 40, 40, 41, 42, 43, 44)
    } else if constexpr (N == 48) {
        OF_TYPE(MULTIPLY_REGISTERS, 96, 48, 48, 49, 50, 51, 52)
    } else {
        OF_TYPE(MULTIPLY_REGISTERS, 128, 64, 64, 65, 66, 67, 68)
    }
}

#else
#include "emulator/hopper.h"
#endif
