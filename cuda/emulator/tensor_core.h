// The operations of ../tensor_core.cuh for a host compiler. Included only by that file.
#pragma once

#include "emulator.h"

#include <bit>
#include <cstdint>
#include <cstring>

/// 16-bit numbers as a device stores them. Conversions round to nearest, ties to even; every NaN is 0x7fff.
struct Bf16 {
    std::uint16_t bits;
};

struct F16 {
    std::uint16_t bits;
};

float to_float(Bf16 x);
float to_float(F16 x);

template <class T>
T from_float(float x);
template <>
Bf16 from_float(float x);
template <>
F16 from_float(float x);

namespace emulator {

/// A lane's arguments of a 16 x 16 times 16 x 8 product.
struct Product {
    float* sum;
    const unsigned* a;
    const unsigned* b;
};

template <class T>
void multiply(void* const* lanes);

/// A lane's arguments of a load of four matrices: the address of one row and the destination.
struct Matrices {
    const std::uint16_t* row;
    unsigned* piece;
};

void load_matrices(void* const* lanes);
void load_transposed(void* const* lanes);

} // namespace emulator

template <class T>
unsigned pack(float low, float high) {
    return from_float<T>(low).bits | static_cast<unsigned>(from_float<T>(high).bits) << 16;
}

template <class T>
void multiply(float (&sum)[4], const unsigned (&a)[4], const unsigned* b, EMULATOR_SITE) {
    emulator::Product own{sum, a, b};
    emulator::current().collective({"multiply", file, line}, &own, emulator::multiply<T>);
}

template <class T>
void load_matrices(unsigned (&piece)[4], const T* row, EMULATOR_SITE) {
    emulator::Matrices own{reinterpret_cast<const std::uint16_t*>(row), piece};
    emulator::current().require_alignment({"load_matrices", file, line}, row);
    emulator::current().collective({"load_matrices", file, line}, &own, emulator::load_matrices);
}

template <class T>
void load_transposed(unsigned (&piece)[4], const T* row, EMULATOR_SITE) {
    emulator::Matrices own{reinterpret_cast<const std::uint16_t*>(row), piece};
    emulator::current().require_alignment({"load_transposed", file, line}, row);
    emulator::current().collective({"load_transposed", file, line}, &own, emulator::load_transposed);
}

template <class T>
void read_chunk(T* to, const T* from, EMULATOR_SITE) {
    emulator::current().require_alignment({"read_chunk", file, line}, from);
    std::memcpy(to, from, 16);
}

inline void prefetch(const void* line) {
    static_cast<void>(*static_cast<const volatile char*>(line));
}

template <class T>
void copy_chunk(T* to, const T* from, bool there, EMULATOR_SITE) {
    std::size_t bytes = there ? 16 : 0;
    emulator::current().require_alignment({"copy_chunk", file, line}, to);
    emulator::current().require_alignment({"copy_chunk", file, line}, from);
    emulator::current().copy_async(to, from, bytes, 16 - bytes);
}

inline void copy_word(float* to, const float* from, bool there) {
    std::size_t bytes = there ? sizeof(float) : 0;
    emulator::current().copy_async(to, from, bytes, sizeof(float) - bytes);
}

inline void end_copies() {
    emulator::current().end_copies();
}

template <int NEWEST>
void wait_for_copies() {
    emulator::current().wait_for_copies(NEWEST);
}

inline int recomputed(int x) {
    return x;
}

inline float fast_exp2(float x) {
    float y = std::exp2(x);
    return y < 1.17549435e-38f ? 0 : y; // the device flushes subnormals
}

inline float fast_reciprocal(float x) {
    return 1 / x;
}
