// From one element type to another: fp32, fp16 and bf16.
//
//   convert_<to>_<from>  destination = source, rounded to the nearest, ties to even
//
// In      source [count]; f16 and bf16 are 16-bit words
// Out     destination [count], every element; beyond the largest an infinity, of no number some NaN
// Launch  one thread per element: grid x = ceil(count / convert_threads), block convert_threads
// Cost    the bytes of both
// Rounds  once
// See     Backend.convert, test/elementwise_test.cpp
#include "kernel.cuh"

#include <cstring>

constexpr int THREADS = 256;
EXPORT(convert_threads, THREADS);

__device__ static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

__device__ static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

/// Adds half a unit of what is dropped, or just less where the last digit kept is even, and drops it.
__device__ static uint32_t drop(uint32_t magnitude, int digits) {
    return (magnitude + (1u << (digits - 1)) - 1 + (magnitude >> digits & 1)) >> digits;
}

struct F32 {
    using Word = float;
    static __device__ float read(float x) {
        return x;
    }
    static __device__ float write(float x) {
        return x;
    }
};

/// Eight digits of exponent, seven of mantissa: the upper half of a float.
struct Bf16 {
    using Word = uint16_t;
    static __device__ float read(Word x) {
        return float_of(static_cast<uint32_t>(x) << 16);
    }
    static __device__ Word write(float x) {
        uint32_t bits = bits_of(x);
        return static_cast<Word>(std::isnan(x) ? bits >> 16 | 0x40 : drop(bits, 16));
    }
};

/// Five digits of exponent, ten of mantissa.
struct F16 {
    using Word = uint16_t;
    static constexpr uint32_t BIAS = (127 - 15) << 10; // of the exponents, where that of a half stands
    static constexpr uint32_t INFINITE = 0x7c00;
    static constexpr float UNIT = 0x1p-24f; // of what is below the least normal number, 2^-14

    static __device__ float read(Word x) {
        uint32_t sign = (x & 0x8000u) << 16;
        uint32_t magnitude = x & 0x7fffu;
        if (magnitude >= INFINITE) {
            return float_of(sign | 0x7f800000u | magnitude << 13);
        }
        if (magnitude < 0x400) {
            float small = static_cast<float>(magnitude) * UNIT;
            return sign == 0 ? small : -small;
        }
        return float_of(sign | (magnitude + BIAS) << 13);
    }

    static __device__ Word write(float x) {
        uint32_t sign = bits_of(x) >> 16 & 0x8000u;
        return static_cast<Word>(sign | magnitude(fabsf(x)));
    }

    static __device__ uint32_t magnitude(float x) {
        if (std::isnan(x)) {
            return INFINITE | 0x200;
        }
        if (x < 0x1p-14f) {
            return static_cast<uint32_t>(rintf(x / UNIT));
        }
        return x < 0x1p16f ? drop(bits_of(x), 13) - BIAS : INFINITE;
    }
};

template <class To, class From>
__device__ void convert(typename To::Word* destination, const typename From::Word* source, int64_t count) {
    int64_t i = element();
    if (i < count) {
        destination[i] = To::write(From::read(source[i]));
    }
}

#define CONVERT(to, To, from, From) \
    KERNEL(convert_##to##_##from, THREADS, To::Word* destination, const From::Word* source, int64_t count) { \
        convert<To, From>(destination, source, count); \
    }
#define CONVERT_TO(to, To) CONVERT(to, To, f32, F32) CONVERT(to, To, f16, F16) CONVERT(to, To, bf16, Bf16)

CONVERT_TO(f32, F32)
CONVERT_TO(f16, F16)
CONVERT_TO(bf16, Bf16)
