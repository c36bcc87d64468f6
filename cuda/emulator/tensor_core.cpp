#include "tensor_core.h"

#include <cmath>

namespace {
constexpr std::uint16_t NOT_A_NUMBER = 0x7fff;

/// A number without its lowest `dropped` bits, rounded to nearest, ties to even.
std::uint32_t rounded(std::uint32_t bits, int dropped) {
    std::uint32_t half = (1u << (dropped - 1)) - 1;
    return (bits + half + (bits >> dropped & 1)) >> dropped;
}
} // namespace

float to_float(Bf16 x) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(x.bits) << 16);
}

template <>
Bf16 from_float(float x) {
    return {std::isnan(x) ? NOT_A_NUMBER : static_cast<std::uint16_t>(rounded(std::bit_cast<std::uint32_t>(x), 16))};
}

float to_float(F16 x) {
    int exponent = x.bits >> 10 & 0x1f;
    int fraction = x.bits & 0x3ff;
    float size = exponent == 0x1f ? (fraction == 0 ? INFINITY : NAN)
                 : exponent == 0  ? std::ldexp(static_cast<float>(fraction), -24)
                                  : std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
    return x.bits & 0x8000 ? -size : size;
}

template <>
F16 from_float(float x) {
    constexpr float SMALLEST_NORMAL = 6.103515625e-5f; // 2^-14
    constexpr float INFINITE_FROM = 65520;
    if (std::isnan(x)) {
        return {NOT_A_NUMBER};
    }
    float size = std::abs(x);
    std::uint32_t bits;
    if (size >= INFINITE_FROM) {
        bits = 0x7c00;
    } else if (size < SMALLEST_NORMAL) {
        bits = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(size, 24)));
    } else {
        bits = rounded(std::bit_cast<std::uint32_t>(size) - ((127 - 15) << 23), 13);
    }
    return {static_cast<std::uint16_t>(bits | (std::signbit(x) ? 0x8000 : 0))};
}

namespace emulator {

namespace {
template <class T>
float half_of(unsigned pair, int which) {
    return to_float(T{static_cast<std::uint16_t>(pair >> 16 * which)});
}

template <class Piece>
const Piece& of(void* const* lanes, int lane) {
    return *static_cast<const Piece*>(lanes[lane]);
}

/// Matrix m's rows are the addresses of lanes 8 m .. 8 m + 7; lane l gets the elements 2 (l % 4), + 1 of row l / 4.
template <bool TRANSPOSED>
void load(void* const* lanes) {
    for (int matrix = 0; matrix < 4; matrix++) {
        for (int lane = 0; lane < WARP; lane++) {
            unsigned pair = 0;
            for (int i = 0; i < 2; i++) {
                int row = TRANSPOSED ? 2 * (lane % 4) + i : lane / 4;
                int column = TRANSPOSED ? lane / 4 : 2 * (lane % 4) + i;
                pair |= static_cast<unsigned>(of<Matrices>(lanes, 8 * matrix + row).row[column]) << 16 * i;
            }
            of<Matrices>(lanes, lane).piece[matrix] = pair;
        }
    }
}
} // namespace

// Fragments as the PTX ISA lays them out, "Matrix Fragments for mma.m16n8k16 with floating point type".
template <class T>
void multiply(void* const* lanes) {
    float a[16][16];
    float b[16][8];
    for (int lane = 0; lane < WARP; lane++) {
        const Product& own = of<Product>(lanes, lane);
        for (int i = 0; i < 8; i++) {
            a[lane / 4 + (i / 2 % 2) * 8][lane % 4 * 2 + i % 2 + i / 4 * 8] = half_of<T>(own.a[i / 2], i % 2);
        }
        for (int i = 0; i < 4; i++) {
            b[lane % 4 * 2 + i % 2 + i / 2 * 8][lane / 4] = half_of<T>(own.b[i / 2], i % 2);
        }
    }
    for (int lane = 0; lane < WARP; lane++) {
        for (int i = 0; i < 4; i++) {
            float& sum = of<Product>(lanes, lane).sum[i];
            double total = sum;
            for (int k = 0; k < 16; k++) {
                total += static_cast<double>(a[lane / 4 + i / 2 * 8][k]) * b[k][lane % 4 * 2 + i % 2];
            }
            sum = static_cast<float>(total);
        }
    }
}

template void multiply<Bf16>(void* const* lanes);
template void multiply<F16>(void* const* lanes);

void load_matrices(void* const* lanes) {
    load<false>(lanes);
}

void load_transposed(void* const* lanes) {
    load<true>(lanes);
}

} // namespace emulator
