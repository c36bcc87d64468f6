// Attention on tensor cores against plain loops in double, from the same 16-bit inputs. Statistics are as accurate as
// in fp32; the error of the output is at most twice that of the naive computation in 16 bits, plus one rounding.
#include "attention_rounded.h"

namespace {

/// Launches one of the families with one block per tile of rows.
template <class... A>
void launch_tiles(const std::string& kernel, int rows, int heads, A... arguments) {
    launch(kernel.c_str(), pieces(rows, constant((kernel + "_tile").c_str())), heads,
           BlockOf(constant((kernel + "_threads").c_str()), constant((kernel + "_shared").c_str())), arguments...);
}

enum class What { ALL, NO_VALUES, NO_STATISTICS, LOG_SUM_EXP };

/// Attention of the queries from .. to - 1. Returns their output.
template <class T>
std::vector<float> attend(const TextOf<T>& text, int from, int to, Observed& observed, What what = What::ALL) {
    const Spec& spec = text.spec;
    int queries = to - from;
    int keys = spec.causal ? to : text.tokens;
    int causal = spec.causal;
    // Copies of the exact length, so that AddressSanitizer detects a read beyond the last row.
    std::vector<T> q = rows(text.q, spec.heads * spec.headDim, from, to);
    std::vector<T> k = rows(text.k, spec.kvHeads * spec.headDim, 0, keys);
    std::vector<T> v = rows(text.v, spec.kvHeads * spec.headDim, 0, keys);
    std::vector<float> out(q.size(), NAN);
    const float* sinks = spec.sinks.empty() ? nullptr : spec.sinks.data();
    float* to_write[6];
    for (int i = 0; i < 6; i++) {
        bool wanted = what == What::ALL || what == What::NO_VALUES || (what == What::LOG_SUM_EXP && i == 0);
        to_write[i] = wanted ? observed.all()[i]->data() : nullptr;
    }
    if (what == What::NO_VALUES) {
        launch_tiles(withWidth<T>("attention_statistics", spec.headDim), queries, spec.heads, to_write[0], to_write[1],
                     to_write[2], to_write[3], to_write[4], to_write[5], q.data(), k.data(), sinks, NO_TILES, queries, keys,
                     spec.heads, spec.kvHeads, spec.headDim, spec.scale(), causal, spec.window, spec.softCap,
                     observed.capacity);
    } else {
        auto forward = [&](float* exact, T* rounded) {
            launch_tiles(withWidth<T>("attention_forward", spec.headDim), queries, spec.heads, exact, rounded, to_write[0],
                         to_write[1], to_write[2], to_write[3], to_write[4], to_write[5], q.data(), k.data(), v.data(),
                         sinks, NO_TILES, queries, keys, spec.heads, spec.kvHeads, spec.headDim, spec.scale(), causal,
                         spec.window, spec.softCap, what == What::LOG_SUM_EXP ? 0 : observed.capacity);
        };
        std::vector<T> rounded(out.size(), from_float<T>(NAN));
        forward(nullptr, rounded.data());
        forward(out.data(), nullptr);
        check_rounded(rounded, out);
    }
    if (to_write[1] != nullptr) {
        launch_tiles(withWidth<T>("attention_columns", spec.headDim), keys, spec.heads, observed.columnSum.data(),
                     observed.logSumExp.data(), q.data(), k.data(), NO_TILES, queries, keys, spec.heads, spec.kvHeads,
                     spec.headDim,
                     spec.scale(), causal, spec.window, spec.softCap, observed.capacity);
    }
    return out;
}

template <class T>
void check_text(const char* what, const TextOf<T>& text, const std::vector<int>& ends) {
    check_attention(what, text, ends, 64,
                    [&](int from, int end, Observed& observed) { return attend(text, from, end, observed); });
}

template <class T>
void check_text(const char* what, const TextOf<T>& text) {
    check_text(what, text, {text.tokens});
}

/// Maps of all heads, and of the last head only.
template <class T>
void check_maps(const TextOf<T>& text) {
    name("maps", text);
    const Spec& spec = text.spec;
    Attention expected = reference(text);
    int64_t size = static_cast<int64_t>(text.tokens) * text.tokens;
    for (int first : {0, spec.heads - 1}) {
        std::vector<float> maps((spec.heads - first) * size, NAN);
        launch_tiles(withWidth<T>("attention_map", spec.headDim), text.tokens, spec.heads - first, maps.data(),
                     text.q.data(), text.k.data(), spec.sinks.empty() ? nullptr : spec.sinks.data(), NO_TILES, text.tokens,
                     text.tokens, spec.heads, spec.kvHeads, spec.headDim, spec.scale(), static_cast<int>(spec.causal),
                     spec.window, spec.softCap, first);
        std::vector<double> own(expected.map.begin() + first * size, expected.map.end());
        check_close(maps, own, 2 * fast_error(text, expected), 1e-6, "maps");
        for (std::size_t i = 0; i < maps.size(); i++) {
            CHECK(own[i] != 0 || maps[i] == 0, "cell %zu, which is masked, is %g", i, maps[i]);
        }
    }
}

/// The same bits with and without statistics, and for any order of threads.
template <class T>
void check_equal_bits(const TextOf<T>& text) {
    name("equal bits", text);
    Observed first(text.spec.heads, text.tokens);
    std::vector<float> out = attend(text, 0, text.tokens, first);
    for (unsigned long seed : {0ul, SEED + 1, SEED + 2}) {
        headscope_shuffle(seed);
        Observed second(text.spec.heads, text.tokens);
        CHECK(same_bits(out, attend(text, 0, text.tokens, second)) && first.same(second), "the order of threads");
    }
    headscope_shuffle(SEED);
    Observed alone(text.spec.heads, text.tokens);
    attend(text, 0, text.tokens, alone, What::NO_VALUES);
    CHECK(first.same(alone), "with and without values");
    Observed none(text.spec.heads, text.tokens);
    CHECK(same_bits(out, attend(text, 0, text.tokens, none, What::NO_STATISTICS)), "observed and not");
    CHECK(same_bits(out, attend(text, 0, text.tokens, none, What::LOG_SUM_EXP)), "observed in part");
    CHECK(same_bits(first.logSumExp, none.logSumExp), "the logarithms alone"); // row = position in a complete text
}

template <class T>
void check_all(std::mt19937_64& random) {
    for (int tokens : {1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 257}) {
        check_text("plain", random_text<T>(random, PLAIN, tokens));
        check_text("bidirectional", random_text<T>(random, BIDIRECTIONAL, tokens));
        check_text("windowed", random_text<T>(random, WINDOWED, tokens));
    }
    for (int tokens : {1, 17, 65, 129}) {
        check_text("grouped", random_text<T>(random, GROUPED, tokens));
        check_text("capped", random_text<T>(random, CAPPED, tokens, 2));
        check_text("with sinks", random_text<T>(random, WITH_SINKS, tokens));
        for (const Spec& spec : {GROUPED, BIDIRECTIONAL, WINDOWED, CAPPED, WITH_SINKS}) {
            check_maps(random_text<T>(random, spec, tokens));
        }
    }
    for (int headDim : {1, 64, 72, 80, 96, 128, 250, 256}) {
        check_text("width", random_text<T>(random, {.headDim = headDim}, 70));
    }
    check_text("wide", random_text<T>(random, {.headDim = 128}, 200));
    check_text("window of one", random_text<T>(random, {.headDim = 8, .window = 1}, 150));
    check_text("large scores", random_text<T>(random, PLAIN, 130, 8));
    TextOf<T> ties = random_text<T>(random, PLAIN, 130);
    ties.q.assign(ties.q.size(), from_float<T>(0));
    check_text("ties", ties);
    check_text("decode", random_text<T>(random, GROUPED, 130), {65, 66, 67, 129, 130});
    check_text("decode", random_text<T>(random, WINDOWED, 200), {1, 2, 150, 200});
    check_equal_bits(random_text<T>(random, GROUPED, 130));
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    check_all<Bf16>(random);
    check_all<F16>(random);
}
