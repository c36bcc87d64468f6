// Attention and its statistics against plain loops in double: every width, mask, and way of feeding a text.
#include "attention_observed.h"

#include <functional>

namespace {

/// The output of a complete text, without statistics.
std::vector<float> attend_unobserved(const Text& text) {
    const Spec& spec = text.spec;
    std::vector<float> out(text.q.size(), NAN);
    const float* sinks = spec.sinks.empty() ? nullptr : spec.sinks.data();
    float* none = nullptr;
    launch(withWidth("attention_forward", spec.headDim).c_str(),
           pieces(text.tokens, constant("attention_forward_query_tile")), spec.heads,
           constant("attention_forward_threads"), out.data(), none, none, none, none, none, none, text.q.data(),
           text.k.data(), text.v.data(), sinks, NO_TILES, text.tokens, text.tokens, spec.heads, spec.kvHeads, spec.headDim,
           spec.scale(), static_cast<int>(spec.causal), spec.window, spec.softCap, 0);
    return out;
}

/// Attention of the queries from .. to - 1. Returns their output; without values, computes only the statistics.
std::vector<float> attend(const Text& text, int from, int to, Observed& observed, bool values = true) {
    const Spec& spec = text.spec;
    int queries = to - from;
    int keys = spec.causal ? to : text.tokens;
    int causal = spec.causal;
    float scale = spec.scale();
    // Copies of the exact length, so that AddressSanitizer detects a read beyond the last row.
    std::vector<float> q = rows(text.q, spec.heads * spec.headDim, from, to);
    std::vector<float> k = rows(text.k, spec.kvHeads * spec.headDim, 0, keys);
    std::vector<float> v = rows(text.v, spec.kvHeads * spec.headDim, 0, keys);
    std::vector<float> out(q.size(), NAN);
    const float* sinks = spec.sinks.empty() ? nullptr : spec.sinks.data();
    if (values) {
        launch(withWidth("attention_forward", spec.headDim).c_str(),
               pieces(queries, constant("attention_forward_query_tile")), spec.heads,
               constant("attention_forward_threads"), out.data(), observed.logSumExp.data(),
               observed.logDiagonal.data(),
               observed.entropy.data(), observed.maximum.data(), observed.previous.data(), observed.distance.data(),
               q.data(), k.data(),
               v.data(), sinks, NO_TILES, queries, keys, spec.heads, spec.kvHeads, spec.headDim, scale, causal, spec.window,
               spec.softCap, observed.capacity);
    } else {
        launch(withWidth("attention_statistics", spec.headDim).c_str(),
               pieces(queries, constant("attention_statistics_query_tile")), spec.heads,
               constant("attention_statistics_threads"), observed.logSumExp.data(), observed.logDiagonal.data(),
               observed.entropy.data(), observed.maximum.data(), observed.previous.data(), observed.distance.data(),
               q.data(), k.data(),
               sinks, NO_TILES, queries, keys, spec.heads, spec.kvHeads, spec.headDim, scale, causal, spec.window, spec.softCap,
               observed.capacity);
    }
    launch(withWidth("attention_columns", spec.headDim).c_str(), pieces(keys, constant("attention_columns_key_tile")),
           spec.heads, constant("attention_columns_threads"), observed.columnSum.data(), observed.logSumExp.data(),
           q.data(),
           k.data(), NO_TILES, queries, keys, spec.heads, spec.kvHeads, spec.headDim, scale, causal, spec.window, spec.softCap,
           observed.capacity);
    return out;
}

void check(const Text& text, const Attention& expected, const Observed& observed) {
    double error = score_error(text, expected);
    check_rows(text.tokens, expected, observed, error, 0);
    check_columns(text.tokens, expected, observed, error);
}

/// Maps of all heads, and of the last head only.
void check_maps(const Text& text, const Attention& expected) {
    const Spec& spec = text.spec;
    int64_t size = static_cast<int64_t>(text.tokens) * text.tokens;
    for (int first : {0, spec.heads - 1}) {
        std::vector<float> maps((spec.heads - first) * size, NAN);
        launch(withWidth("attention_map", spec.headDim).c_str(),
               pieces(text.tokens, constant("attention_map_query_tile")), spec.heads - first,
               constant("attention_map_threads"), maps.data(), text.q.data(), text.k.data(),
               spec.sinks.empty() ? nullptr : spec.sinks.data(), NO_TILES, text.tokens, text.tokens, spec.heads, spec.kvHeads,
               spec.headDim, spec.scale(), static_cast<int>(spec.causal), spec.window, spec.softCap, first);
        std::vector<double> own(expected.map.begin() + first * size, expected.map.end());
        check_close(maps, own, 2 * score_error(text, expected), 1e-6, "maps");
        for (std::size_t i = 0; i < maps.size(); i++) {
            CHECK(own[i] != 0 || maps[i] < 1e-30, "cell %zu, which is masked, is %g", i, maps[i]);
        }
    }
}

void check_text(const char* name, const Text& text) {
    situation = std::string(name) + ": " + std::to_string(text.tokens) + " tokens, heads " +
                std::to_string(text.spec.heads) + " over " + std::to_string(text.spec.kvHeads) + " of width " +
                std::to_string(text.spec.headDim);
    Attention expected = reference(text.spec, text.tokens, text.q, text.k, text.v);
    Observed observed(text.spec.heads, text.tokens + 3);
    std::vector<float> out = attend(text, 0, text.tokens, observed);
    check(text, expected, observed);
    double largest = std::abs(
        *std::max_element(text.v.begin(), text.v.end(), [](float a, float b) { return std::abs(a) < std::abs(b); }));
    check_close(out, expected.out, 2 * score_error(text, expected) * largest, 1e-6, "out");
}

void check_observation_alone(const Text& text) {
    Observed fused(text.spec.heads, text.tokens);
    Observed alone(text.spec.heads, text.tokens);
    CHECK(same_bits(attend(text, 0, text.tokens, fused), attend_unobserved(text)), "observed and not");
    attend(text, 0, text.tokens, alone, false);
    CHECK(fused.same(alone), "with and without values");
}

/// A prompt, then several parts of an answer.
void check_decode(const Text& text, const std::vector<int>& ends) {
    situation = "decode of " + std::to_string(text.tokens);
    Attention expected = reference(text.spec, text.tokens, text.q, text.k, text.v);
    Observed observed(text.spec.heads, text.tokens + 1);
    std::vector<float> out = in_parts(ends, [&](int from, int end) { return attend(text, from, end, observed); });
    check(text, expected, observed);
    check_close(out, expected.out, 40 * score_error(text, expected), 1e-6, "out");
}

void check_equal_bits(const Text& text) {
    situation = "the order of threads";
    Observed first(text.spec.heads, text.tokens);
    std::vector<float> out = attend(text, 0, text.tokens, first);
    for (unsigned long seed : {0ul, SEED + 1, SEED + 2}) {
        headscope_shuffle(seed);
        Observed second(text.spec.heads, text.tokens);
        CHECK(same_bits(out, attend(text, 0, text.tokens, second)), "out");
        CHECK(same_bits(first.entropy, second.entropy) && same_bits(first.columnSum, second.columnSum), "statistics");
    }
    headscope_shuffle(SEED);
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    for (int tokens : SIZES) {
        check_text("plain", random_text(random, PLAIN, tokens));
        if (tokens <= 257) {
            check_text("grouped", random_text(random, GROUPED, tokens));
            check_text("bidirectional", random_text(random, BIDIRECTIONAL, tokens));
            check_text("windowed", random_text(random, WINDOWED, tokens));
            check_text("capped", random_text(random, CAPPED, tokens, 3));
            check_text("with sinks", random_text(random, WITH_SINKS, tokens));
        }
        if (tokens <= 129) {
            for (const Spec& spec : {GROUPED, BIDIRECTIONAL, WINDOWED, WITH_SINKS}) {
                Text text = random_text(random, spec, tokens);
                situation = "maps of " + std::to_string(tokens);
                check_maps(text, reference(spec, tokens, text.q, text.k, text.v));
            }
        }
    }
    for (int headDim : {1, 64, 80, 96, 128, 250, 256}) {
        check_text("width", random_text(random, {.heads = 1, .kvHeads = 1, .headDim = headDim}, 70));
    }
    check_text("window of one", random_text(random, {.headDim = 8, .window = 1}, 70));
    check_text("large scores", random_text(random, PLAIN, 130, 30));
    Text ties = random_text(random, PLAIN, 130);
    ties.q.assign(ties.q.size(), 0);
    check_text("ties", ties);
    check_observation_alone(random_text(random, GROUPED, 130));
    check_decode(random_text(random, GROUPED, 130), {65, 66, 67, 129, 130});
    check_decode(random_text(random, WINDOWED, 130), {1, 2, 100, 130});
    check_equal_bits(random_text(random, GROUPED, 130));
}
