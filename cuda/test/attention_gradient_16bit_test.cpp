// The kernels of attention's gradient for 16-bit operands.
#include "attention_gradient_rounded.h"

namespace {

struct Kernels {
    template <class T>
    static void queries(const GradientOperands<T>& x, Actual& actual, const Cut& cut, bool observed) {
        float* none = nullptr;
        const Spec& spec = x.spec;
        launch_tiles<T>("attention_query_gradient", spec, x.queries, spec.heads, actual.q.data(),
                        observed ? actual.rows.data() : none, observed ? actual.maximum.data() : none,
                        observed ? actual.groups.data() : none, x.gradient.data(), x.numbers.data(), x.q.data(),
                        x.k.data(), x.v.data(), observed ? cut.groupOf.data() : nullptr, NO_TILES, x.queries, x.tokens,
                        spec.heads, spec.kvHeads, spec.headDim, spec.scale(), static_cast<int>(spec.causal),
                        spec.window, spec.softCap, observed ? cut.groups : 0, cut.firstSource);
    }

    template <class T>
    static void keys(const GradientOperands<T>& x, Actual& actual, bool observed) {
        float* none = nullptr;
        const Spec& spec = x.spec;
        launch_tiles<T>("attention_key_gradient", spec, x.tokens, spec.kvHeads, actual.k.data(), actual.v.data(),
                        observed ? actual.columns.data() : none, x.gradient.data(), x.numbers.data(), x.q.data(),
                        x.k.data(), x.v.data(), NO_TILES, x.queries, x.tokens, spec.heads, spec.kvHeads, spec.headDim,
                        spec.scale(), static_cast<int>(spec.causal), spec.window, spec.softCap);
    }
};

template <class T>
void check_all(std::mt19937_64& random) {
    for (int tokens : {1, 2, 17, 31, 32, 33, 63, 64, 65, 127, 129, 257}) {
        check_random<T, Kernels>(random, "plain", PLAIN, tokens, tokens);
    }
    for (int tokens : {1, 33, 65, 129}) {
        check_random<T, Kernels>(random, "grouped", GROUPED, tokens, tokens);
        check_random<T, Kernels>(random, "bidirectional", BIDIRECTIONAL, tokens, tokens);
        check_random<T, Kernels>(random, "windowed", WINDOWED, tokens, tokens);
        check_random<T, Kernels>(random, "capped", CAPPED, tokens, tokens, 2);
        check_random<T, Kernels>(random, "with sinks", WITH_SINKS, tokens, tokens);
    }
    for (int headDim : {1, 64, 72, 80, 96, 128, 250, 256}) {
        check_random<T, Kernels>(random, "width", {.heads = 2, .kvHeads = 1, .headDim = headDim}, 70, 70);
    }
    check_random<T, Kernels>(random, "wide", {.headDim = 128}, 200, 200);
    check_random<T, Kernels>(random, "widest", {.headDim = 256}, 150, 150);
    for (int queries : {1, 5, 64, 66}) {
        check_random<T, Kernels>(random, "the last queries", GROUPED, 130, queries);
        check_random<T, Kernels>(random, "the last queries, windowed", WINDOWED, 130, queries);
    }
    for (const Spec& spec : {GROUPED, BIDIRECTIONAL, WINDOWED, CAPPED, WITH_SINKS}) {
        for (int firstSource : {1, 38, 66}) {
            check_random<T, Kernels>(random, "without the first sources", spec, 70, 70, 1, firstSource);
        }
    }
    check_random<T, Kernels>(random, "window of one", {.headDim = 8, .window = 1}, 70, 70);
    check_random<T, Kernels>(random, "large scores", PLAIN, 130, 130, 8);
    check_random<T, Kernels>(random, "small gradients", PLAIN, 130, 130, 1, 0, 1e-9f);
    check_random<T, Kernels>(random, "no gradients", PLAIN, 70, 70, 1, 0, 0);
    check_sizes<T, Kernels>(random, GROUPED, 257);
    check_equal_bits<T, Kernels>(random, GROUPED, 130);
    check_equal_bits<T, Kernels>(random, {.headDim = 128}, 70);
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    check_all<Bf16>(random);
    check_all<F16>(random);
}
