// Gradients of attention and its saliency against plain loops in double: every width, mask and end of a text.
#include "attention_text.h"

namespace {

const double EPS = 6e-8; // half an ulp of a float near 1

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

Expected expect(const Text& text, const std::vector<float>& gradient, int queries) {
    const Spec& spec = text.spec;
    int tokens = text.tokens;
    int width = spec.headDim;
    Gradients zero(spec, tokens, queries);
    Expected expected{zero, zero, reference(spec, tokens, text.q, text.k, text.v)};
    Gradients& passed = expected.gradients;
    Gradients& errors = expected.errors;
    // The relative error of a probability is the error of its score plus that of its row's log-sum-exp.
    double moved = 2 * score_error(text, expected.attention) + 4 * EPS;
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
            double ownError = moved * size + EPS * (2 * width + tokens + 8) * size;
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
                double vError = p * (moved + EPS * (terms + 4));
                double kError = dsError + EPS * (terms + 4) * std::abs(ds);
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

Actual run(const Text& text, const std::vector<float>& gradient, int queries, const Cut& cut, bool observed) {
    const Spec& spec = text.spec;
    int tokens = text.tokens;
    int rowWidth = spec.heads * spec.headDim;
    std::vector<float> q(text.q.end() - static_cast<int64_t>(queries) * rowWidth, text.q.end());
    const float* sinks = spec.sinks.empty() ? nullptr : spec.sinks.data();
    std::vector<float> out(q.size(), NAN);
    Actual actual;
    actual.q.assign(q.size(), NAN);
    actual.k.assign(text.k.size(), NAN);
    actual.v.assign(text.v.size(), NAN);
    int vector = spec.heads * queries;
    for (auto* x : {&actual.logSumExp, &actual.signedSum, &actual.rows, &actual.maximum}) {
        x->assign(vector, NAN);
    }
    actual.groups.assign(vector * cut.groups, NAN);
    actual.columns.assign(spec.heads * tokens, NAN);
    float scale = spec.scale();
    int causal = spec.causal;
    float* none = nullptr;
    launch(withWidth("attention_forward", spec.headDim).c_str(),
           pieces(queries, constant("attention_forward_query_tile")), spec.heads, constant("attention_forward_threads"),
           out.data(), actual.logSumExp.data(), none, none, none, none, none, q.data(), text.k.data(), text.v.data(),
           sinks, NO_TILES, queries, tokens, spec.heads, spec.kvHeads, spec.headDim, scale, causal, spec.window, spec.softCap, 0);
    launch(withWidth("attention_query_gradient", spec.headDim).c_str(),
           pieces(queries, constant("attention_query_gradient_query_tile")), spec.heads,
           constant("attention_query_gradient_threads"), actual.q.data(), actual.signedSum.data(),
           observed ? actual.rows.data() : none, observed ? actual.maximum.data() : none,
           observed ? actual.groups.data() : none, gradient.data(), out.data(), actual.logSumExp.data(), q.data(),
           text.k.data(), text.v.data(), observed ? cut.groupOf.data() : nullptr, NO_TILES, queries, tokens, spec.heads,
           spec.kvHeads, spec.headDim, scale, causal, spec.window, spec.softCap, observed ? cut.groups : 0,
           cut.firstSource);
    launch(withWidth("attention_key_gradient", spec.headDim).c_str(),
           pieces(tokens, constant("attention_key_gradient_key_tile")), spec.kvHeads,
           constant("attention_key_gradient_threads"), actual.k.data(), actual.v.data(),
           observed ? actual.columns.data() : none, gradient.data(), actual.logSumExp.data(), actual.signedSum.data(),
           q.data(), text.k.data(), text.v.data(), NO_TILES, queries, tokens, spec.heads, spec.kvHeads, spec.headDim, scale,
           causal, spec.window, spec.softCap);
    if (!observed) {
        return actual;
    }
    std::vector<int> chosen;
    for (int head = spec.heads - 1; head >= 0; head -= 2) {
        chosen.push_back(head);
    }
    actual.map.assign(chosen.size() * queries * tokens, NAN);
    launch(withWidth("attention_saliency_map", spec.headDim).c_str(),
           pieces(queries, constant("attention_saliency_map_query_tile")), chosen.size(),
           constant("attention_saliency_map_threads"), actual.map.data(), gradient.data(), actual.logSumExp.data(),
           q.data(), text.k.data(), text.v.data(), chosen.data(), NO_TILES, queries, tokens, spec.heads, spec.kvHeads,
           spec.headDim, scale, causal, spec.window, spec.softCap);
    if (queries < tokens) {
        return actual;
    }
    std::vector<float> largest(vector * cut.cells, NAN);
    std::vector<float> sums(vector * cut.cells, NAN);
    launch(withWidth("attention_saliency_cells", spec.headDim).c_str(),
           pieces(queries, constant("attention_saliency_cells_query_tile")), spec.heads,
           constant("attention_saliency_cells_threads"), largest.data(), sums.data(), gradient.data(),
           actual.logSumExp.data(), q.data(), text.k.data(), text.v.data(), NO_TILES, queries, tokens, spec.heads, spec.kvHeads,
           spec.headDim, scale, causal, spec.window, spec.softCap, cut.cells, cut.firstSource);
    int64_t cells = static_cast<int64_t>(spec.heads) * cut.cells * cut.cells;
    actual.pooledMaximum.assign(cells, NAN);
    actual.pooledMean.assign(cells, NAN);
    int threads = constant("attention_saliency_pool_threads");
    launch("attention_saliency_pool_f32", pieces(cells, threads), 1, threads, actual.pooledMaximum.data(),
           actual.pooledMean.data(), largest.data(), sums.data(), cells, tokens, cut.cells);
    return actual;
}

void check_within(const std::vector<float>& actual, const std::vector<double>& expected,
                  const std::vector<double>& error, const char* what) {
    CHECK(actual.size() == expected.size(), "%s: %zu and %zu", what, actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); i++) {
        // products of small probabilities and small gradients underflow
        CHECK(std::abs(actual[i] - expected[i]) <= error[i] + 1e-30, "%s[%zu] is %.9g and not %.9g, +-%.2g", what, i,
              actual[i], expected[i], error[i]);
    }
}

void check_text(const char* name, const Text& text, const std::vector<float>& gradient, int queries, int firstSource) {
    const Spec& spec = text.spec;
    int tokens = text.tokens;
    situation = std::string(name) + ": " + std::to_string(queries) + " of " + std::to_string(tokens) +
                " tokens, heads " + std::to_string(spec.heads) + " over " + std::to_string(spec.kvHeads) +
                " of width " + std::to_string(spec.headDim) + ", sources from " + std::to_string(firstSource);
    Cut cut(tokens, firstSource);
    Expected expected = expect(text, gradient, queries);
    const Gradients& passed = expected.gradients;
    const Gradients& errors = expected.errors;
    Actual actual = run(text, gradient, queries, cut, true);
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
    for (int head = spec.heads - 1, at = 0; head >= 0; head -= 2, at++) {
        check_within({actual.map.begin() + at * size, actual.map.begin() + (at + 1) * size},
                     {passed.map.begin() + head * size, passed.map.begin() + (head + 1) * size},
                     {errors.map.begin() + head * size, errors.map.begin() + (head + 1) * size}, "map");
    }
    if (queries == tokens) {
        check_within(actual.pooledMaximum, saliency.pooledMaximum, error.pooledMaximum, "pooledMaximum");
        check_within(actual.pooledMean, saliency.pooledMean, error.pooledMean, "pooledMean");
    }
}

void check_random(std::mt19937_64& random, const char* name, const Spec& spec, int tokens, int queries, float size = 1,
                  int firstSource = 0) {
    Text text = random_text(random, spec, tokens, size);
    check_text(name, text, random_floats(random, static_cast<int64_t>(queries) * spec.heads * spec.headDim), queries,
               firstSource);
}

void check_equal_bits(std::mt19937_64& random, const Spec& spec, int tokens) {
    situation = "the order of threads";
    Text text = random_text(random, spec, tokens);
    std::vector<float> gradient = random_floats(random, static_cast<int64_t>(tokens) * spec.heads * spec.headDim);
    Cut cut(tokens);
    Actual first = run(text, gradient, tokens, cut, true);
    Actual alone = run(text, gradient, tokens, cut, false);
    CHECK(same_bits(first.q, alone.q) && same_bits(first.k, alone.k) && same_bits(first.v, alone.v) &&
              same_bits(first.signedSum, alone.signedSum),
          "observed and not");
    for (unsigned long seed : {0ul, SEED + 1, SEED + 2}) {
        headscope_shuffle(seed);
        Actual again = run(text, gradient, tokens, cut, true);
        CHECK(same_bits(first.q, again.q) && same_bits(first.k, again.k) && same_bits(first.v, again.v), "gradients");
        CHECK(same_bits(first.rows, again.rows) && same_bits(first.columns, again.columns) &&
                  same_bits(first.groups, again.groups) && same_bits(first.maximum, again.maximum) &&
                  same_bits(first.pooledMaximum, again.pooledMaximum) && same_bits(first.pooledMean, again.pooledMean),
              "saliency");
    }
    headscope_shuffle(SEED);
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    for (int tokens : SIZES) {
        if (tokens > 257) {
            continue; // four tiles are enough
        }
        check_random(random, "plain", PLAIN, tokens, tokens);
        if (tokens <= 129) {
            check_random(random, "grouped", GROUPED, tokens, tokens);
            check_random(random, "bidirectional", BIDIRECTIONAL, tokens, tokens);
            check_random(random, "windowed", WINDOWED, tokens, tokens);
            check_random(random, "capped", CAPPED, tokens, tokens, 3);
            check_random(random, "with sinks", WITH_SINKS, tokens, tokens);
        }
    }
    for (int headDim : {1, 64, 80, 96, 128, 250, 256}) {
        check_random(random, "width", {.heads = 1, .kvHeads = 1, .headDim = headDim}, 70, 70);
    }
    for (int queries : {1, 5, 64, 66}) {
        check_random(random, "the last queries", GROUPED, 130, queries);
        check_random(random, "the last queries, windowed", WINDOWED, 130, queries);
    }
    for (int tokens : {2, 70}) {
        for (const Spec& spec : {GROUPED, BIDIRECTIONAL, WINDOWED, CAPPED, WITH_SINKS}) {
            for (int firstSource : {1, 38, 66}) {
                check_random(random, "without the first sources", spec, tokens, tokens, 1,
                             std::min(firstSource, tokens));
            }
        }
    }
    check_random(random, "window of one", {.headDim = 8, .window = 1}, 70, 70);
    check_random(random, "large scores", PLAIN, 130, 130, 30);
    check_equal_bits(random, GROUPED, 130);
}
