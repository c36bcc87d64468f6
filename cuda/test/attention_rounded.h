// Attention of 16-bit queries, keys and values: its tolerances, and messages that name a text.
#pragma once

#include "attention_observed.h"

/// Half the distance between 1 and the next number.
template <class T>
constexpr double ROUNDING = 0;
template <>
inline constexpr double ROUNDING<Bf16> = 1 / 256.0;
template <>
inline constexpr double ROUNDING<F16> = 1 / 2048.0;

/// Whether output that a kernel has rounded is its fp32 output, rounded.
template <class T>
void check_rounded(const std::vector<T>& rounded, const std::vector<float>& exact) {
    for (std::size_t i = 0; i < exact.size(); i++) {
        T expected = from_float<T>(exact[i]);
        CHECK(std::memcmp(&rounded[i], &expected, sizeof(T)) == 0, "rounded element %zu is %g and not %g", i,
              to_float(rounded[i]), to_float(expected));
    }
}

/// exp2 and the soft cap add an error of 2^-22 to that of fp32.
template <class T>
double fast_error(const TextOf<T>& text, const Attention& expected) {
    return score_error(text, expected) + 2.5e-7 * (4 + text.spec.softCap);
}

/// The worst error of the computation whose scores, probabilities and output are rounded to 16 bits.
template <class T>
double naive_error(const TextOf<T>& text, const Attention& expected) {
    const Spec& spec = text.spec;
    int width = spec.headDim;
    double worst = 0;
    auto round = [](double x) { return static_cast<double>(to_float(from_float<T>(static_cast<float>(x)))); };
    for (int head = 0; head < spec.heads; head++) {
        int kvHead = head / (spec.heads / spec.kvHeads);
        for (int i = 0; i < text.tokens; i++) {
            int64_t at = static_cast<int64_t>(head) * text.tokens + i;
            std::vector<double> p(text.tokens);
            double lse = expected.logSumExp[at];
            double total = spec.sinks.empty() ? 0 : std::exp(spec.sinks[head] - lse);
            for (int j = 0; j < text.tokens; j++) {
                double exact = expected.map[at * text.tokens + j];
                p[j] = exact > 0 ? std::exp(round(std::log(exact) + lse) - lse) : 0;
                total += p[j];
            }
            for (int d = 0; d < width; d++) {
                double sum = 0;
                for (int j = 0; j < text.tokens; j++) {
                    sum += round(p[j] / total) *
                           to_float(text.v[(static_cast<int64_t>(j) * spec.kvHeads + kvHead) * width + d]);
                }
                double own = expected.out[(static_cast<int64_t>(i) * spec.heads + head) * width + d];
                worst = std::max(worst, std::abs(round(sum) - own));
            }
        }
    }
    return worst;
}

template <class T>
void check_out(const TextOf<T>& text, const std::vector<float>& out, const Attention& expected) {
    double largest = 0;
    for (double x : expected.out) {
        largest = std::max(largest, std::abs(x));
    }
    check_close(out, expected.out, 2 * naive_error(text, expected) + ROUNDING<T> * largest, 0, "out");
}

template <class T>
void name(const char* what, const TextOf<T>& text) {
    situation = std::string(what) + ", " + NAME<T> + ": " + std::to_string(text.tokens) + " tokens, heads " +
                std::to_string(text.spec.heads) + " over " + std::to_string(text.spec.kvHeads) + " of width " +
                std::to_string(text.spec.headDim);
}

/// Statistics against plain loops; distances are measured from the end of a tile of this many keys.
template <class T>
void check_observed(const TextOf<T>& text, const Attention& expected, const Observed& observed, int tile) {
    double error = fast_error(text, expected);
    check_rows(text.tokens, expected, observed, error, tile * 2.4e-7);
    check_columns(text.tokens, expected, observed, error);
}

/// A text that is read up to each of the ends in turn, by attend(from, end, observed), which returns the output.
template <class T, class Attend>
void check_attention(const char* what, const TextOf<T>& text, const std::vector<int>& ends, int tile, Attend attend) {
    name(what, text);
    Attention expected = reference(text);
    Observed observed(text.spec.heads, text.tokens + 3);
    std::vector<float> out = in_parts(ends, [&](int from, int end) { return attend(from, end, observed); });
    check_observed(text, expected, observed, tile);
    check_out(text, out, expected);
}
