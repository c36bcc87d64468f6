// Texts to attend to, the kernels of their width, and how far scores may be off.
#pragma once

#include "attention_reference.h"
#include "check.h"

struct Text {
    Spec spec;
    int tokens;
    std::vector<float> q, k, v;
};

inline Text random_text(std::mt19937_64& random, const Spec& spec, int tokens, float size = 1) {
    int64_t width = static_cast<int64_t>(spec.kvHeads) * spec.headDim;
    return {spec, tokens, random_floats(random, static_cast<int64_t>(tokens) * spec.heads * spec.headDim, size),
            random_floats(random, tokens * width, size), random_floats(random, tokens * width)};
}

inline std::string withWidth(const char* kernel, int headDim) {
    for (int width : {16, 32, 64, 80, 96, 128, 256}) {
        if (width >= headDim) {
            return kernel + std::string("_f32_d") + std::to_string(width);
        }
    }
    CHECK(false, "head width %d", headDim);
    return "";
}

/// The tolerance follows from the rounding of scores: their sums have headDim terms, whose errors add up like a random
/// walk, and a few more roundings for scale, shift and exponential. An error of a score is one of a logarithm, and a
/// relative one of a probability.
inline double score_error(const Text& text, const Attention& expected) {
    const double eps = 6e-8;
    return eps * (expected.largestScore + 1) * (std::sqrt(text.spec.headDim) + 8);
}
