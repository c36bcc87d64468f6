// Texts to attend to, the kernels of their width, and how far scores may be off.
#pragma once

#include "../tensor_core.cuh"
#include "attention_reference.h"
#include "check.h"

template <class T>
struct TextOf {
    Spec spec;
    int tokens;
    std::vector<T> q, k, v;
};

using Text = TextOf<float>;

template <class T>
std::vector<T> random_numbers(std::mt19937_64& random, int64_t count, float size = 1) {
    std::vector<T> x;
    for (float element : random_floats(random, count, size)) {
        x.push_back(from_float<T>(element));
    }
    return x;
}

template <class T = float>
TextOf<T> random_text(std::mt19937_64& random, const Spec& spec, int tokens, float size = 1) {
    int64_t width = static_cast<int64_t>(spec.kvHeads) * spec.headDim;
    return {spec, tokens, random_numbers<T>(random, static_cast<int64_t>(tokens) * spec.heads * spec.headDim, size),
            random_numbers<T>(random, tokens * width, size), random_numbers<T>(random, tokens * width)};
}

template <class T>
std::vector<float> floats(const std::vector<T>& x) {
    std::vector<float> y;
    for (T element : x) {
        y.push_back(to_float(element));
    }
    return y;
}

template <class T>
Attention reference(const TextOf<T>& text) {
    return reference(text.spec, text.tokens, floats(text.q), floats(text.k), floats(text.v));
}

/// Rows from .. to - 1.
template <class T>
std::vector<T> rows(const std::vector<T>& x, int width, int from, int to) {
    return std::vector<T>(x.begin() + static_cast<int64_t>(from) * width, x.begin() + static_cast<int64_t>(to) * width);
}

template <class T>
constexpr const char* NAME = "f32";
template <>
inline constexpr const char* NAME<Bf16> = "bf16";
template <>
inline constexpr const char* NAME<F16> = "f16";

template <class T = float>
std::string withWidth(const char* kernel, int headDim) {
    for (int width : {16, 32, 64, 80, 96, 128, 256}) {
        if (width >= headDim) {
            return kernel + std::string("_") + NAME<T> + "_d" + std::to_string(width);
        }
    }
    CHECK(false, "head width %d", headDim);
    return "";
}

/// The tolerance follows from the rounding of scores: their sums have headDim terms, whose errors add up like a random
/// walk, and a few more roundings for scale, shift and exponential. An error of a score is one of a logarithm, and a
/// relative one of a probability.
template <class T>
double score_error(const TextOf<T>& text, const Attention& expected) {
    const double eps = 6e-8;
    return eps * (expected.largestScore + 1) * (std::sqrt(text.spec.headDim) + 8);
}
