// Gradients of attention and its saliency against plain loops in double: every width, mask and end of a text.
#include "attention_gradient_reference.h"

namespace {

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
           actual.logSumExp.data(), q.data(), text.k.data(), text.v.data(), NO_TILES, queries, tokens, spec.heads,
           spec.kvHeads, spec.headDim, scale, causal, spec.window, spec.softCap, cut.cells, cut.firstSource);
    int64_t cells = static_cast<int64_t>(spec.heads) * cut.cells * cut.cells;
    actual.pooledMaximum.assign(cells, NAN);
    actual.pooledMean.assign(cells, NAN);
    int threads = constant("attention_saliency_pool_threads");
    launch("attention_saliency_pool_f32", pieces(cells, threads), 1, threads, actual.pooledMaximum.data(),
           actual.pooledMean.data(), largest.data(), sums.data(), cells, tokens, cut.cells);
    return actual;
}

void check_text(const char* name, const Text& text, const std::vector<float>& gradient, int queries, int firstSource) {
    describe(name, text.spec, text.tokens, queries, firstSource);
    Cut cut(text.tokens, firstSource);
    check_results(text.spec, expect(text, gradient, queries, {}), run(text, gradient, queries, cut, true), queries,
                  text.tokens, cut);
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
