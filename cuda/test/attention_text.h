// Texts for attention tests, the kernels for their width, and the error of scores.
#pragma once

#include "../tensor_core.cuh"
#include "../text_tile.cuh"
#include "attention_reference.h"
#include "check.h"

template <class T>
struct TextOf {
    Spec spec;
    int tokens;
    std::vector<T> q, k, v;
};

using Text = TextOf<float>;

/// A launch for one text.
inline const TextTile* const NO_TILES = nullptr;

inline const Spec PLAIN{.heads = 2, .kvHeads = 2, .headDim = 16};
inline const Spec GROUPED{.heads = 4, .kvHeads = 2, .headDim = 20};
inline const Spec BIDIRECTIONAL{.heads = 1, .kvHeads = 1, .headDim = 16, .causal = false};
inline const Spec WINDOWED{.heads = 1, .kvHeads = 1, .headDim = 16, .window = 33};
inline const Spec CAPPED{.heads = 1, .kvHeads = 1, .headDim = 32, .softCap = 5};
inline const Spec WITH_SINKS{.heads = 2, .kvHeads = 1, .headDim = 16, .sinks = {1.5f, 40}};

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

/// The concatenated outputs of the queries up to each end; attend(from, end) returns those of the queries from .. end -
/// 1.
template <class Attend>
std::vector<float> in_parts(const std::vector<int>& ends, Attend attend) {
    std::vector<float> out;
    int from = 0;
    for (int end : ends) {
        std::vector<float> part = attend(from, end);
        out.insert(out.end(), part.begin(), part.end());
        from = end;
    }
    return out;
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

/// Error of a score: a sum of headDim terms, whose rounding errors accumulate like a random walk, plus a few roundings
/// for scale, shift and exponential. It is also the error of a logarithm and the relative error of a probability.
template <class T>
double score_error(const TextOf<T>& text, const Attention& expected) {
    const double eps = 6e-8;
    return eps * (expected.largestScore + 1) * (std::sqrt(text.spec.headDim) + 8);
}
