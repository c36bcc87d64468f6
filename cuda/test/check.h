// Test support: launches by name, inputs from a seed, checks that report where they failed.
#pragma once

#include "../emulator/launch.h"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

/// HEADSCOPE_SEED in the environment reproduces a failure.
inline const unsigned long SEED = std::getenv("HEADSCOPE_SEED")
                                      ? std::strtoul(std::getenv("HEADSCOPE_SEED"), nullptr, 10)
                                      : std::random_device()() | 1;

inline std::string situation; // sizes and settings, for the message

#define CHECK(holds, ...) \
    do { \
        if (!(holds)) { \
            std::fprintf(stderr, "%s:%d: %s does not hold: ", __FILE__, __LINE__, #holds); \
            std::fprintf(stderr, __VA_ARGS__); \
            std::fprintf(stderr, "\n  %s\n  again: HEADSCOPE_SEED=%lu\n", situation.c_str(), SEED); \
            std::exit(1); \
        } \
    } while (false)

/// Block size and dynamic shared memory in bytes.
struct BlockOf {
    int threads;
    int shared = 0;

    BlockOf(int threads, int shared = 0) : threads(threads), shared(shared) {}
};

template <class... A>
void launch(const char* kernel, int64_t grid_x, int64_t grid_y, BlockOf block, A... arguments) {
    void* pointers[] = {&arguments...};
    int result =
        headscope_launch(kernel, static_cast<unsigned>(grid_x), static_cast<unsigned>(grid_y), 1,
                         static_cast<unsigned>(block.threads), 1, 1, static_cast<unsigned>(block.shared), pointers);
    CHECK(result == 0, "%s", headscope_last_error());
}

inline int constant(const char* name) {
    int value = headscope_constant(name);
    CHECK(value > 0, "no constant is called %s", name);
    return value;
}

inline int64_t pieces(int64_t count, int64_t size) {
    return (count + size - 1) / size;
}

/// Block size of a kernel that processes rows of this width.
inline int fitting(const char* threads, int width) {
    return std::min(constant(threads), static_cast<int>(pieces(width, 32) * 32));
}

/// Normally distributed; every 37th value is 20 times as large, like outliers in transformer activations.
inline std::vector<float> random_floats(std::mt19937_64& random, int64_t count, float size = 1) {
    std::normal_distribution<float> normal(0, size);
    std::vector<float> values(count);
    for (int64_t i = 0; i < count; i++) {
        values[i] = normal(random) * (i % 37 == 11 ? 20.0f : 1.0f);
    }
    return values;
}

/// |actual - expected| <= absolute + relative |expected|, everywhere.
template <class A, class E>
void check_close(const std::vector<A>& actual, const std::vector<E>& expected, double absolute, double relative,
                 const char* what) {
    CHECK(actual.size() == expected.size(), "%s: %zu and %zu", what, actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); i++) {
        double error = std::abs(static_cast<double>(actual[i]) - static_cast<double>(expected[i]));
        bool alike = std::isnan(expected[i]) && std::isnan(actual[i]);
        CHECK(alike || error <= absolute + relative * std::abs(static_cast<double>(expected[i])),
              "%s[%zu] is %.9g and not %.9g", what, i, static_cast<double>(actual[i]),
              static_cast<double>(expected[i]));
    }
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// Values that begin `by` elements behind an address to which quads are aligned.
template <class T>
struct Displaced {
    std::vector<T> elements;
    int by;

    Displaced(const std::vector<T>& values, int by) : elements(by), by(by) {
        elements.insert(elements.end(), values.begin(), values.end());
    }

    /// Null if there are no values.
    T* data() {
        return static_cast<int>(elements.size()) == by ? nullptr : elements.data() + by;
    }

    std::vector<T> values() const {
        return {elements.begin() + by, elements.end()};
    }
};

/// Sizes around the widths of warps and tiles.
inline const std::vector<int> SIZES = {1, 2, 31, 32, 33, 63, 64, 65, 127, 129, 257, 1000};
