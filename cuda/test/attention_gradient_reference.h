// Attention's backward pass and its saliency in plain loops and double, with bounds for the errors of kernels.
#pragma once

#include "attention_text.h"

inline const double EPS = 6e-8; // half an ulp of a float near 1

/// Groups, sources and cells of a saliency request.
struct Cut {
    std::vector<int> groupOf;
    int groups;
    int firstSource;
    int cells;

    explicit Cut(int tokens, int firstSource = 0)
        : groupOf(tokens), groups(3), firstSource(firstSource), cells(std::min(tokens, 7)) {
        for (int i = 0; i < tokens; i++) {
            groupOf[i] = i % 5 - 2 < 0 ? -1 : i % 5 - 2;
        }
    }
};

/// Statistics of maps [heads, rows, tokens] of the last rows of a text.
struct Saliency {
    std::vector<double> rows, maximum, groups, columns, pooledMaximum, pooledMean;

    Saliency(const std::vector<double>& map, int heads, int rowCount, int tokens, const Cut& cut)
        : rows(heads * rowCount), maximum(heads * rowCount), groups(heads * rowCount * cut.groups),
          columns(heads * tokens), pooledMaximum(heads * cut.cells * cut.cells), pooledMean(pooledMaximum) {
        std::vector<int> elements(pooledMean.size());
        for (std::size_t at = 0; at < map.size(); at++) {
            int column = static_cast<int>(at % tokens);
            int row = static_cast<int>(at / tokens); // in [heads, rows]
            int head = row / rowCount;
            double counted = column < cut.firstSource ? 0 : map[at];
            rows[row] += counted;
            maximum[row] = std::max(maximum[row], counted);
            columns[head * tokens + column] += map[at];
            if (cut.groupOf[column] >= 0) {
                groups[row * cut.groups + cut.groupOf[column]] += map[at];
            }
            int token = tokens - rowCount + row % rowCount;
            int cell = (head * cut.cells + token * cut.cells / tokens) * cut.cells + column * cut.cells / tokens;
            pooledMaximum[cell] = std::max(pooledMaximum[cell], counted);
            pooledMean[cell] += counted;
            elements[cell]++;
        }
        for (std::size_t cell = 0; cell < pooledMean.size(); cell++) {
            pooledMean[cell] /= elements[cell];
        }
    }
};

/// Gradients from the last queries of a text, in double, or their error bounds.
struct Gradients {
    std::vector<double> q, k, v, signedSum, map;

    Gradients(const Spec& spec, int tokens, int queries)
        : q(queries * spec.heads * spec.headDim), k(tokens * spec.kvHeads * spec.headDim), v(k),
          signedSum(spec.heads * queries), map(spec.heads * queries * tokens) {}
};

struct Expected {
    Gradients gradients;
    Gradients errors;
    Attention attention;
};

/// Additional relative errors of probabilities, of weights before a product, and of the output.
struct Rounding {
    double probability = 0;
    double weight = 0;
    double out = 0;
    double smallest = 0; // error of a weight, relative to the largest one
};

inline Expected expect(const Text& text, const std::vector<float>& gradient, int queries, const Rounding& rounding) {
    const Spec& spec = text.spec;
    int tokens = text.tokens;
    int width = spec.headDim;
    Gradients zero(spec, tokens, queries);
    Expected expected{zero, zero, reference(spec, tokens, text.q, text.k, text.v)};
    Gradients& passed = expected.gradients;
    Gradients& errors = expected.errors;
    // The relative error of a probability is the error of its score plus that of its row's log-sum-exp.
    double moved = 2 * score_error(text, expected.attention) + 4 * EPS + rounding.probability;
    double largest = 0;
    for (float value : text.v) {
        largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    int terms = spec.heads / spec.kvHeads * tokens;
    for (int head = 0; head < spec.heads; head++) {
        int kvHead = head / (spec.heads / spec.kvHeads);
        for (int row = 0; row < queries; row++) {
            int i = tokens - queries + row;
            const float* g = gradient.data() + (row * spec.heads + head) * width;
            const float* q = text.q.data() + (i * spec.heads + head) * width;
            const double* map = expected.attention.map.data() + (static_cast<int64_t>(head) * tokens + i) * tokens;
            std::vector<double> dp(tokens);
            double own = 0;
            double size = 0; // of the terms of dp and own
            for (int d = 0; d < width; d++) {
                size += std::abs(g[d]) * largest;
            }
            for (int j = 0; j < tokens; j++) {
                for (int d = 0; d < width; d++) {
                    dp[j] += static_cast<double>(g[d]) * text.v[(j * spec.kvHeads + kvHead) * width + d];
                }
                own += map[j] * dp[j];
            }
            // dp is a sum of width products; own uses the output, a sum over keys with the error `moved`.
            double dpError = EPS * (width + 4) * size;
            double ownError = (moved + rounding.out) * size + EPS * (2 * width + tokens + 8) * size;
            passed.signedSum[head * queries + row] = own;
            errors.signedSum[head * queries + row] = ownError;
            for (int j = 0; j < tokens; j++) {
                double p = map[j];
                if (p == 0) {
                    continue;
                }
                double slope = spec.scale();
                double slopeError = 4 * EPS * spec.scale();
                if (spec.softCap > 0) {
                    double capped = (std::log(p) + expected.attention.logSumExp[head * tokens + i]) / spec.softCap;
                    slope *= 1 - capped * capped;
                    slopeError += spec.scale() * moved / spec.softCap * 2;
                }
                double ds = p * (dp[j] - own) * slope;
                double passedSize = std::abs(dp[j]) + std::abs(own);
                double dsError =
                    p * (slope * (dpError + ownError + (moved + 8 * EPS) * passedSize) + slopeError * passedSize);
                double vError = p * (moved + EPS * (terms + 4) + rounding.weight) + rounding.smallest;
                double kError = dsError + (EPS * (terms + 4) + rounding.weight) * std::abs(ds) +
                                rounding.smallest * size * spec.scale();
                passed.map[(head * queries + row) * tokens + j] = p * std::abs(dp[j]);
                // sums over the map have up to `tokens` terms
                errors.map[(head * queries + row) * tokens + j] =
                    p * (dpError + (moved + EPS * (2 * tokens + 8)) * std::abs(dp[j]));
                for (int d = 0; d < width; d++) {
                    int atQ = (row * spec.heads + head) * width + d;
                    int atK = (j * spec.kvHeads + kvHead) * width + d;
                    passed.q[atQ] += ds * text.k[atK];
                    passed.k[atK] += ds * q[d];
                    passed.v[atK] += p * g[d];
                    errors.q[atQ] += kError * std::abs(text.k[atK]);
                    errors.k[atK] += kError * std::abs(q[d]);
                    errors.v[atK] += vError * std::abs(g[d]);
                }
            }
        }
    }
    return expected;
}

/// The kernels' results; NaN where nothing was written.
struct Actual {
    std::vector<float> q, k, v, logSumExp, signedSum, rows, maximum, groups, columns, map, pooledMaximum, pooledMean;
};

inline void check_within(const std::vector<float>& actual, const std::vector<double>& expected,
                  const std::vector<double>& error, const char* what) {
    CHECK(actual.size() == expected.size(), "%s: %zu and %zu", what, actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); i++) {
        // products of small probabilities and small gradients underflow
        CHECK(std::abs(actual[i] - expected[i]) <= error[i] + 1e-30, "%s[%zu] is %.9g and not %.9g, +-%.2g", what, i,
              actual[i], expected[i], error[i]);
    }
}

inline void describe(const char* name, const Spec& spec, int tokens, int queries, int firstSource) {
    situation = std::string(name) + ": " + std::to_string(queries) + " of " + std::to_string(tokens) +
                " tokens, heads " + std::to_string(spec.heads) + " over " + std::to_string(spec.kvHeads) +
                " of width " + std::to_string(spec.headDim) + ", sources from " + std::to_string(firstSource);
}

/// Maps, if there are any, are those of every second head from the last one down.
inline void check_results(const Spec& spec, const Expected& expected, const Actual& actual, int queries, int tokens,
                          const Cut& cut) {
    const Gradients& passed = expected.gradients;
    const Gradients& errors = expected.errors;
    check_within(actual.q, passed.q, errors.q, "q");
    check_within(actual.k, passed.k, errors.k, "k");
    check_within(actual.v, passed.v, errors.v, "v");
    check_within(actual.signedSum, passed.signedSum, errors.signedSum, "signedSum");

    Saliency saliency(passed.map, spec.heads, queries, tokens, cut);
    Saliency error(errors.map, spec.heads, queries, tokens, cut);
    check_within(actual.rows, saliency.rows, error.rows, "rows");
    check_within(actual.columns, saliency.columns, error.columns, "columns");
    check_within(actual.maximum, saliency.maximum, error.maximum, "maximum");
    check_within(actual.groups, saliency.groups, error.groups, "groups");
    int64_t size = static_cast<int64_t>(queries) * tokens;
    for (int head = spec.heads - 1, at = 0; head >= 0 && !actual.map.empty(); head -= 2, at++) {
        check_within({actual.map.begin() + at * size, actual.map.begin() + (at + 1) * size},
                     {passed.map.begin() + head * size, passed.map.begin() + (head + 1) * size},
                     {errors.map.begin() + head * size, errors.map.begin() + (head + 1) * size}, "map");
    }
    if (queries == tokens && !actual.map.empty()) {
        check_within(actual.pooledMaximum, saliency.pooledMaximum, error.pooledMaximum, "pooledMaximum");
        check_within(actual.pooledMean, saliency.pooledMean, error.pooledMean, "pooledMean");
    }
}
