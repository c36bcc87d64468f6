// The part of CUDA's device language that the kernels use, for a host compiler. Threads are fibers, see block.h.
//
// A barrier or exchange that some thread never reaches is reported with kernel, block and thread. Shared memory starts
// as NaN and is allocated on the heap, where AddressSanitizer detects accesses out of bounds.
#pragma once

#include "block.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))

#define KERNEL(name, threads, ...) \
    static void name(__VA_ARGS__); \
    static const emulator::Kernel name##_registered(#name, threads, name); \
    static void name(__VA_ARGS__)

#define WIDE_KERNEL KERNEL

#define RESIDENT_KERNEL(name, threads, blocks, ...) KERNEL(name, threads, __VA_ARGS__)

#define SHARED(type, name) \
    static const char name##_tag = 0; \
    auto& name = \
        *static_cast<typename emulator::Same<type>::Type*>(emulator::current().shared(&name##_tag, sizeof(type)))

#define DYNAMIC_SHARED(type, name) type* name = static_cast<type*>(emulator::current().dynamic_shared())

#define UNROLL
#define UNROLL_BY(times)

#define EXPORT(name, value) static const emulator::Constant name##_registered(#name, value)

namespace emulator {

template <class T>
struct Same {
    using Type = T;
};

/// A kernel that can be launched by name.
struct Kernel {
    template <class... A>
    Kernel(const char* name, int mostThreads, void (*function)(A...)) : mostThreads(mostThreads) {
        call = [function](void** arguments) { apply(function, arguments, std::index_sequence_for<A...>()); };
        all()[name] = *this;
    }
    Kernel() = default;

    static std::map<std::string, Kernel>& all();

    int mostThreads = 0;
    std::function<void(void**)> call;

private:
    template <class... A, std::size_t... I>
    static void apply(void (*function)(A...), void** arguments, std::index_sequence<I...>) {
        function(*static_cast<A*>(arguments[I])...);
    }
};

struct Constant {
    Constant(const char* name, int value);
    static std::map<std::string, int>& all();
};

template <class T>
std::uint64_t bits(T value) {
    static_assert(sizeof(T) <= sizeof(std::uint64_t));
    if constexpr (sizeof(T) == sizeof(std::uint64_t)) {
        return std::bit_cast<std::uint64_t>(value);
    } else {
        return std::bit_cast<std::uint32_t>(value);
    }
}

template <class T>
T from_bits(std::uint64_t value) {
    if constexpr (sizeof(T) == sizeof(std::uint64_t)) {
        return std::bit_cast<T>(value);
    } else {
        return std::bit_cast<T>(static_cast<std::uint32_t>(value));
    }
}

/// The running thread's lane in a warp divided into segments of `width` lanes.
inline int lane() {
    return static_cast<int>((threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x) % WARP;
}

template <class T>
T shuffle(Site site, unsigned mask, T value, int source) {
    return from_bits<T>(current().exchange(site, mask, bits(value), source));
}

} // namespace emulator

/// A value in shared memory with its writer. A shuffle orders no memory, although lanes meet in it.
template <class X>
class Exchanged {
public:
    Exchanged& operator=(X x) {
        require_order("overwrites");
        emulator::Block& block = emulator::current();
        value = x;
        writer = block.thread();
        written = block.orderings(writer);
        return *this;
    }

    Exchanged& operator=(const Exchanged& other) {
        return *this = static_cast<X>(other);
    }

    operator X() const {
        require_order("reads");
        return value;
    }

private:
    /// Reports a thread that uses another one's value without a barrier in between.
    void require_order(const char* does) const {
        emulator::Block& block = emulator::current();
        int thread = block.thread();
        if (writer >= 0 && writer != thread) {
            auto now = block.orderings(writer);
            bool together = writer / emulator::WARP == thread / emulator::WARP;
            if (now.second == written.second && (!together || now.first == written.first)) {
                block.report({"exchange", "", 0}, "no barrier since thread " + std::to_string(writer) +
                                                      " wrote what the thread " + does + " in shared memory");
            }
        }
    }

    X value;
    int writer; // -1 in new memory
    std::pair<std::uint32_t, std::uint32_t> written;
};

// The call site is a default argument, so that reports can name the line.
#define EMULATOR_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(EMULATOR_SITE) {
    emulator::current().wait({"__syncthreads", file, line});
}

inline void __syncwarp(unsigned mask = 0xffffffffu, EMULATOR_SITE) {
    emulator::current().ballot({"__syncwarp", file, line}, mask, false, true);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATOR_SITE) {
    return emulator::current().ballot({"__ballot_sync", file, line}, mask, predicate != 0);
}

inline int __any_sync(unsigned mask, int predicate, EMULATOR_SITE) {
    return emulator::current().ballot({"__any_sync", file, line}, mask, predicate != 0) != 0;
}

inline int __all_sync(unsigned mask, int predicate, EMULATOR_SITE) {
    return emulator::current().ballot({"__all_sync", file, line}, mask, predicate != 0) == mask;
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = emulator::WARP, EMULATOR_SITE) {
    int segment = emulator::lane() / width * width;
    return emulator::shuffle({"__shfl_sync", file, line}, mask, value, segment + source % width);
}

// A source beyond the segment returns the lane's own value.

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = emulator::WARP, EMULATOR_SITE) {
    int lane = emulator::lane();
    int source = lane ^ lanes;
    return emulator::shuffle({"__shfl_xor_sync", file, line}, mask, value,
                             source < (lane / width + 1) * width ? source : lane);
}

template <class T>
T __shfl_up_sync(unsigned mask, T value, int lanes, int width = emulator::WARP, EMULATOR_SITE) {
    int lane = emulator::lane();
    return emulator::shuffle({"__shfl_up_sync", file, line}, mask, value, lane % width >= lanes ? lane - lanes : lane);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, int lanes, int width = emulator::WARP, EMULATOR_SITE) {
    int lane = emulator::lane();
    return emulator::shuffle({"__shfl_down_sync", file, line}, mask, value,
                             lane % width + lanes < width ? lane + lanes : lane);
}

struct alignas(8) float2 {
    float x, y;
};

inline float2 make_float2(float x, float y) {
    return {x, y};
}

template <class T>
T atomicAdd(T* address, T value) {
    static_assert(std::is_integral_v<T>, "sums of integers do not depend on their order");
    return __atomic_fetch_add(address, value, __ATOMIC_RELAXED);
}

template <class T>
T min(T a, T b) {
    return b < a ? b : a;
}

template <class T>
T max(T a, T b) {
    return a < b ? b : a;
}
