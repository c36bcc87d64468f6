// Gradients of attention and its saliency on tensor cores against plain loops in double, from the same 16-bit operands and
// the gradient as it is rounded. The saliency is as accurate as in fp32; gradients have the errors of weights and outputs
// that are rounded to 16 bits. Kernels launches one of the sets of kernels for queries and keys:
//
//   static void queries(const GradientOperands<T>&, Actual&, const Cut&, bool observed)
//   static void keys(const GradientOperands<T>&, Actual&, bool observed)
#pragma once

#include "attention_gradient_reference.h"
#include "attention_rounded.h"

/// Whether each row of a gradient is rounded in a unit of its own.
template <class T>
constexpr bool NARROW = false;
template <>
constexpr bool NARROW<F16> = true;

/// Launches one of the families with one block per tile of rows.
template <class T, class... A>
void launch_tiles(const char* family, const Spec& spec, int rows, int heads, A... arguments) {
    std::string kernel = withWidth<T>(family, spec.headDim);
    launch(kernel.c_str(), pieces(rows, constant((kernel + "_tile").c_str())), heads,
           BlockOf(constant((kernel + "_threads").c_str()), headscope_constant((kernel + "_shared").c_str())),
           arguments...);
}

/// What the kernels for queries and keys read.
template <class T>
struct GradientOperands {
    const Spec& spec;
    int queries;
    int tokens;
    const std::vector<T>& gradient;
    const std::vector<float>& numbers;
    const std::vector<T>& q;
    const std::vector<T>& k;
    const std::vector<T>& v;
};

/// What the kernels compute, and the gradient as they have rounded it.
struct Run {
    Actual results;
    std::vector<float> gradient;
};

/// Saliency maps of every second head from the last one down, and the pooled maps of all if every row is there.
template <class T>
void pool(const TextOf<T>& text, const std::vector<T>& gradient, const std::vector<float>& numbers,
          const std::vector<T>& q, int queries, const Cut& cut, Actual& actual) {
    const Spec& spec = text.spec;
    int tokens = text.tokens;
    int causal = spec.causal;
    std::vector<int> chosen;
    for (int head = spec.heads - 1; head >= 0; head -= 2) {
        chosen.push_back(head);
    }
    actual.map.assign(chosen.size() * queries * tokens, NAN);
    launch_tiles<T>("attention_saliency_map", spec, queries, static_cast<int>(chosen.size()), actual.map.data(),
                    gradient.data(), numbers.data(), q.data(), text.k.data(), text.v.data(), chosen.data(), NO_TILES,
                    queries, tokens, spec.heads, spec.kvHeads, spec.headDim, spec.scale(), causal, spec.window,
                    spec.softCap);
    if (queries < tokens) {
        return;
    }
    std::vector<float> largest(static_cast<std::size_t>(spec.heads) * queries * cut.cells, NAN);
    std::vector<float> sums(largest.size(), NAN);
    launch_tiles<T>("attention_saliency_cells", spec, queries, spec.heads, largest.data(), sums.data(), gradient.data(),
                    numbers.data(), q.data(), text.k.data(), text.v.data(), NO_TILES, queries, tokens, spec.heads,
                    spec.kvHeads, spec.headDim, spec.scale(), causal, spec.window, spec.softCap, cut.cells,
                    cut.firstSource);
    int64_t cells = static_cast<int64_t>(spec.heads) * cut.cells * cut.cells;
    actual.pooledMaximum.assign(cells, NAN);
    actual.pooledMean.assign(cells, NAN);
    int threads = constant("attention_saliency_pool_threads");
    launch("attention_saliency_pool_f32", pieces(cells, threads), 1, threads, actual.pooledMaximum.data(),
           actual.pooledMean.data(), largest.data(), sums.data(), cells, tokens, cut.cells);
}

template <class T, class Kernels>
Run run(const TextOf<T>& text, const std::vector<float>& given, int queries, const Cut& cut, bool observed) {
    const Spec& spec = text.spec;
    int tokens = text.tokens;
    int heads = spec.heads;
    int vector = heads * queries;
    // Copies of the exact length, so that AddressSanitizer detects a read beyond the last row.
    std::vector<T> q = rows(text.q, heads * spec.headDim, tokens - queries, tokens);
    std::vector<float> out(q.size(), NAN);
    std::vector<float> numbers(4 * vector, NAN);
    std::vector<T> gradient(q.size());
    Run run;
    Actual& actual = run.results;
    actual.q.assign(q.size(), NAN);
    actual.k.assign(text.k.size(), NAN);
    actual.v.assign(text.v.size(), NAN);
    for (auto* x : {&actual.logSumExp, &actual.signedSum, &actual.rows, &actual.maximum}) {
        x->assign(vector, NAN);
    }
    actual.groups.assign(vector * cut.groups, NAN);
    actual.columns.assign(heads * tokens, NAN);
    int causal = spec.causal;
    float* none = nullptr;
    const float* sinks = spec.sinks.empty() ? nullptr : spec.sinks.data();
    T* notRounded = nullptr;
    launch_tiles<T>("attention_forward", spec, queries, heads, out.data(), notRounded, actual.logSumExp.data(), none, none, none,
                    none, none, q.data(), text.k.data(), text.v.data(), sinks, NO_TILES, queries, tokens, heads,
                    spec.kvHeads, spec.headDim, spec.scale(), causal, spec.window, spec.softCap, 0);
    launch_tiles<T>("attention_gradient_rows", spec, queries, heads, gradient.data(), actual.signedSum.data(),
                    numbers.data(), given.data(), out.data(), actual.logSumExp.data(), NO_TILES, queries, tokens, heads,
                    spec.kvHeads, spec.headDim, spec.scale(), causal, spec.window, spec.softCap);
    GradientOperands<T> operands{spec, queries, tokens, gradient, numbers, q, text.k, text.v};
    Kernels::queries(operands, actual, cut, observed);
    Kernels::keys(operands, actual, observed);
    if (observed) {
        pool(text, gradient, numbers, q, queries, cut, actual);
    }
    run.gradient = floats(gradient);
    for (std::size_t i = 0; i < q.size(); i++) {
        int row = static_cast<int>(i / spec.headDim) / heads;
        int head = static_cast<int>(i / spec.headDim) % heads;
        run.gradient[i] *= numbers[4 * (head * queries + row) + 2];
    }
    return run;
}

/// The gradient is rounded to nearest; the error of small fp16 numbers is relative to the largest of their row.
template <class T>
void check_rounded(const Spec& spec, const std::vector<float>& given, const std::vector<float>& rounded) {
    for (std::size_t i = 0; i < given.size(); i++) {
        auto row = given.begin() + static_cast<int64_t>(i / spec.headDim * spec.headDim);
        double largest = 0;
        for (auto x = row; x != row + spec.headDim; x++) {
            largest = std::max(largest, std::abs(static_cast<double>(*x)));
        }
        double error = ROUNDING<T> * std::abs(given[i]) + (NARROW<T> ? largest * 0x1p-38 : 1e-40);
        CHECK(std::abs(static_cast<double>(rounded[i]) - given[i]) <= error, "gradient[%zu] is %.9g and not %.9g", i,
              rounded[i], given[i]);
    }
}

template <class T, class Kernels>
void check_text(const char* name, const TextOf<T>& text, const std::vector<float>& gradient, int queries,
                int firstSource) {
    const Spec& spec = text.spec;
    describe((std::string(name) + ", " + NAME<T>).c_str(), spec, text.tokens, queries, firstSource);
    Cut cut(text.tokens, firstSource);
    Run actual = run<T, Kernels>(text, gradient, queries, cut, true);
    check_rounded<T>(spec, gradient, actual.gradient);
    Text wide{spec, text.tokens, floats(text.q), floats(text.k), floats(text.v)};
    Rounding rounding{2.5e-7 * (4 + spec.softCap), ROUNDING<T>, ROUNDING<T>, NARROW<T> ? 0x1p-30 : 0};
    check_results(spec, expect(wide, actual.gradient, queries, rounding), actual.results, queries, text.tokens, cut);
}

template <class T, class Kernels>
void check_random(std::mt19937_64& random, const char* name, const Spec& spec, int tokens, int queries, float size = 1,
                  int firstSource = 0, float gradientSize = 1) {
    TextOf<T> text = random_text<T>(random, spec, tokens, size);
    int64_t count = static_cast<int64_t>(queries) * spec.heads * spec.headDim;
    check_text<T, Kernels>(name, text, random_floats(random, count, gradientSize), queries, firstSource);
}

/// Gradients whose rows differ in size by many powers of two, like those of a loss at the last token.
template <class T, class Kernels>
void check_sizes(std::mt19937_64& random, const Spec& spec, int tokens) {
    TextOf<T> text = random_text<T>(random, spec, tokens);
    int width = spec.heads * spec.headDim;
    std::vector<float> gradient = random_floats(random, static_cast<int64_t>(tokens) * width, 1e-3f);
    for (int i = 0; i < tokens; i++) {
        for (int d = 0; d < width; d++) {
            gradient[i * width + d] *= std::ldexp(1.0f, i / 8 - 20);
        }
    }
    check_text<T, Kernels>("rows of many sizes", text, gradient, tokens, 0);
}

template <class T, class Kernels>
void check_equal_bits(std::mt19937_64& random, const Spec& spec, int tokens) {
    situation = std::string("the order of threads, ") + NAME<T>;
    TextOf<T> text = random_text<T>(random, spec, tokens);
    std::vector<float> gradient = random_floats(random, static_cast<int64_t>(tokens) * spec.heads * spec.headDim);
    Cut cut(tokens);
    Actual first = run<T, Kernels>(text, gradient, tokens, cut, true).results;
    Actual alone = run<T, Kernels>(text, gradient, tokens, cut, false).results;
    CHECK(same_bits(first.q, alone.q) && same_bits(first.k, alone.k) && same_bits(first.v, alone.v),
          "observed and not");
    for (unsigned long seed : {0ul, SEED + 1, SEED + 2}) {
        headscope_shuffle(seed);
        Actual again = run<T, Kernels>(text, gradient, tokens, cut, true).results;
        CHECK(same_bits(first.q, again.q) && same_bits(first.k, again.k) && same_bits(first.v, again.v), "gradients");
        CHECK(same_bits(first.rows, again.rows) && same_bits(first.columns, again.columns) &&
                  same_bits(first.groups, again.groups) && same_bits(first.maximum, again.maximum) &&
                  same_bits(first.map, again.map) && same_bits(first.pooledMaximum, again.pooledMaximum) &&
                  same_bits(first.pooledMean, again.pooledMean),
              "saliency");
    }
    headscope_shuffle(SEED);
}
