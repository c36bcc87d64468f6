// Attention and its statistics, in plain loops and double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

struct Spec {
    int heads = 1;
    int kvHeads = 1;
    int headDim = 16;
    bool causal = true;
    int window = 0;
    float softCap = 0;
    std::vector<float> sinks = {}; // [heads] or empty

    float scale() const {
        return static_cast<float>(1 / std::sqrt(static_cast<double>(headDim)));
    }
};

/// Attention of a complete text. Vectors are [heads, tokens].
struct Attention {
    std::vector<double> out; // [tokens, heads * headDim]
    std::vector<double> map; // [heads, tokens, tokens]
    std::vector<double> logSumExp, logDiagonal, columnSum, entropy, maximum, previous, distance;
    double largestScore = 0; // maximum of sum |q k| scale, to which the rounding of scores is relative
};

inline Attention reference(const Spec& spec, int tokens, const std::vector<float>& q, const std::vector<float>& k,
                           const std::vector<float>& v) {
    int width = spec.headDim;
    Attention result;
    int64_t vector = static_cast<int64_t>(spec.heads) * tokens;
    for (auto* x : {&result.logSumExp, &result.logDiagonal, &result.columnSum, &result.entropy, &result.maximum,
                    &result.previous, &result.distance}) {
        x->assign(vector, 0);
    }
    result.out.assign(vector * width, 0);
    result.map.assign(vector * tokens, 0);
    for (int head = 0; head < spec.heads; head++) {
        int kvHead = head / (spec.heads / spec.kvHeads);
        for (int i = 0; i < tokens; i++) {
            int first = spec.window > 0 ? std::max(0, i - spec.window + 1) : 0;
            int end = spec.causal ? i + 1 : tokens;
            std::vector<double> score(tokens);
            double sink = spec.sinks.empty() ? -std::numeric_limits<double>::infinity() : spec.sinks[head];
            double peak = sink;
            for (int j = first; j < end; j++) {
                double size = 0;
                for (int d = 0; d < width; d++) {
                    double product = static_cast<double>(q[(static_cast<int64_t>(i) * spec.heads + head) * width + d]) *
                                     k[(static_cast<int64_t>(j) * spec.kvHeads + kvHead) * width + d];
                    score[j] += product * spec.scale();
                    size += std::abs(product) * spec.scale();
                }
                result.largestScore = std::max(result.largestScore, size);
                score[j] = spec.softCap > 0 ? spec.softCap * std::tanh(score[j] / spec.softCap) : score[j];
                peak = std::max(peak, score[j]);
            }
            double total = std::exp(sink - peak);
            for (int j = first; j < end; j++) {
                total += std::exp(score[j] - peak);
            }
            double lse = peak + std::log(total);
            int64_t at = static_cast<int64_t>(head) * tokens + i;
            result.logSumExp[at] = lse;
            result.logDiagonal[at] = score[i] - lse;
            for (int j = first; j < end; j++) {
                double p = std::exp(score[j] - lse);
                result.map[at * tokens + j] = p;
                result.columnSum[static_cast<int64_t>(head) * tokens + j] += p;
                result.entropy[at] -= p == 0 ? 0 : p * (score[j] - lse);
                result.maximum[at] = std::max(result.maximum[at], p);
                result.distance[at] += p * std::abs(i - j);
                result.previous[at] = j == i - 1 ? p : result.previous[at];
                for (int d = 0; d < width; d++) {
                    result.out[(static_cast<int64_t>(i) * spec.heads + head) * width + d] +=
                        p * v[(static_cast<int64_t>(j) * spec.kvHeads + kvHead) * width + d];
                }
            }
        }
    }
    return result;
}
