// Attention on Hopper's tensor cores against plain loops in double, like attention_16bit_test.cpp.
#include "attention_maps.h"
#include "attention_rounded.h"

namespace {

enum class What { ALL, NO_VALUES, NO_STATISTICS, LOG_SUM_EXP };

/// Attention of packed texts, from packed q, k and v: launches forward or statistics, and columns.
template <class T>
struct Launches {
    const Spec& spec;
    const Packed& packed;
    const std::vector<T>& q;
    const std::vector<T>& k;

    template <class... A>
    void launch_tiles(const std::string& kernel, int TextTile::* rows, A... arguments) const {
        std::vector<TextTile> tiles = packed.tiles(rows, constant((kernel + "_tile").c_str()));
        launch(kernel.c_str(), static_cast<int64_t>(tiles.size()), spec.heads,
               BlockOf(constant((kernel + "_threads").c_str()), constant((kernel + "_shared").c_str())), arguments...,
               tiles.data(), 0, 0, spec.heads, spec.kvHeads, spec.headDim, spec.scale(),
               static_cast<int>(spec.causal), spec.window, spec.softCap, 0);
    }

    TensorMap map(const std::vector<T>& x, int heads) const {
        return map_of_heads(x, heads, spec.headDim, 128);
    }

    /// Of the rows that a block of a kernel keeps resident.
    TensorMap kept(const std::string& kernel, const std::vector<T>& x, int heads) const {
        return map_of_heads(x, heads, spec.headDim, constant((kernel + "_tile").c_str()));
    }

    const float* sinks() const {
        return spec.sinks.empty() ? nullptr : spec.sinks.data();
    }

    std::vector<float> forward(float* const (&to)[6], const std::vector<T>& v) const {
        std::vector<float> out(q.size(), NAN);
        std::vector<T> rounded(q.size(), from_float<T>(NAN));
        forward(nullptr, rounded.data(), to, v);
        forward(out.data(), nullptr, to, v);
        check_rounded(rounded, out);
        return out;
    }

    void forward(float* exact, T* rounded, float* const (&to)[6], const std::vector<T>& v) const {
        std::string kernel = named<T>("attention_forward_90a", spec.headDim);
        launch_tiles(kernel, &TextTile::queries, exact, rounded, to[0], to[1], to[2], to[3], to[4], to[5],
                     kept(kernel, q, spec.heads), map(k, spec.kvHeads), map(v, spec.kvHeads), sinks());
    }

    void statistics(float* const (&to)[6]) const {
        std::string kernel = named<T>("attention_statistics_90a", spec.headDim);
        launch_tiles(kernel, &TextTile::queries, to[0], to[1], to[2],
                     to[3], to[4], to[5], kept(kernel, q, spec.heads), map(k, spec.kvHeads), sinks());
    }

    void columns(std::vector<double>& sums, const std::vector<float>& logSumExp) const {
        std::string kernel = named<T>("attention_columns_90a", spec.headDim);
        launch_tiles(kernel, &TextTile::keys, sums.data(), map_of(logSumExp.data(), {logSumExp.size()}, {}, {128 + 4}, 0),
                     map(q, spec.heads), kept(kernel, k, spec.kvHeads));
    }
};

/// Attention of the queries from .. to - 1. Returns their output.
template <class T>
std::vector<float> attend(const TextOf<T>& text, int from, int to, Observed& observed, What what = What::ALL) {
    const Spec& spec = text.spec;
    int keys = spec.causal ? to : text.tokens;
    Packed packed;
    packed.add(to - from, keys, spec.heads, observed.capacity);
    if (what == What::LOG_SUM_EXP) { // [heads, queries], counted from the text's first token
        packed.texts[0].statistics = to - from - keys;
        packed.texts[0].capacity = to - from;
    }
    // Copies of the exact length, so that AddressSanitizer detects a read beyond the last row.
    std::vector<T> q = rows(text.q, spec.heads * spec.headDim, from, to);
    std::vector<T> k = rows(text.k, spec.kvHeads * spec.headDim, 0, keys);
    std::vector<T> v = rows(text.v, spec.kvHeads * spec.headDim, 0, keys);
    float* to_write[6];
    for (int i = 0; i < 6; i++) {
        bool wanted = what == What::ALL || what == What::NO_VALUES || (what == What::LOG_SUM_EXP && i == 0);
        to_write[i] = wanted ? observed.all()[i]->data() : nullptr;
    }
    Launches<T> launches{spec, packed, q, k};
    std::vector<float> out(q.size(), NAN);
    if (what == What::NO_VALUES) {
        launches.statistics(to_write);
    } else {
        out = launches.forward(to_write, v);
    }
    if (to_write[1] != nullptr) {
        launches.columns(observed.columnSum, observed.logSumExp);
    }
    return out;
}

/// Several texts at once give the bits of one text at a time, although the rows beside a text's are not numbers.
template <class T>
void check_packed(std::mt19937_64& random, const Spec& spec, const std::vector<std::pair<int, int>>& lengths) {
    Packed packed;
    std::vector<TextOf<T>> texts;
    std::vector<T> q, k, v;
    int64_t capacity = 0;
    auto append = [](std::vector<T>& to, const std::vector<T>& rows) { to.insert(to.end(), rows.begin(), rows.end()); };
    for (auto [queries, keys] : lengths) {
        texts.push_back(random_text<T>(random, spec, keys));
        const TextOf<T>& text = texts.back();
        if (texts.size() % 2 == 0) {
            for (std::vector<T>* x : {&texts.back().q, &texts.back().k, &texts.back().v}) {
                x->assign(x->size(), from_float<T>(NAN));
            }
        }
        packed.add(queries, keys, spec.heads, keys + 5);
        capacity += keys + 5;
        append(q, rows(text.q, spec.heads * spec.headDim, keys - queries, keys));
        append(k, text.k);
        append(v, text.v);
    }
    Observed all(spec.heads, static_cast<int>(capacity));
    all.columnSum.assign(all.columnSum.size(), 0);
    float* to_write[6];
    for (int i = 0; i < 6; i++) {
        to_write[i] = all.all()[i]->data();
    }
    Launches<T> launches{spec, packed, q, k};
    std::vector<float> out = launches.forward(to_write, v);
    launches.columns(all.columnSum, all.logSumExp);
    for (std::size_t i = 0; i < texts.size(); i += 2) {
        const TextTile& its = packed.texts[i];
        name("packed", texts[i]);
        Observed alone(spec.heads, its.capacity);
        alone.columnSum.assign(alone.columnSum.size(), 0);
        std::vector<float> own = attend(texts[i], its.keys - its.queries, its.keys, alone);
        int width = spec.heads * spec.headDim;
        CHECK(same_bits(own, rows(out, width, its.queryStart, its.queryStart + its.queries)), "output of text %zu", i);
        auto part = [&](const auto& x) {
            auto from = x.begin() + its.statistics;
            return std::vector(from, from + static_cast<int64_t>(spec.heads) * its.capacity);
        };
        for (int kind = 0; kind < 6; kind++) {
            CHECK(same_bits(*alone.all()[kind], part(*all.all()[kind])), "statistic %d of text %zu", kind, i);
        }
        CHECK(same_bits(alone.columnSum, part(all.columnSum)), "column sums of text %zu", i);
    }
}

template <class T>
void check_text(const char* what, const TextOf<T>& text, const std::vector<int>& ends) {
    check_attention(what, text, ends, 128,
                    [&](int from, int end, Observed& observed) { return attend(text, from, end, observed); });
}

template <class T>
void check_text(const char* what, const TextOf<T>& text) {
    check_text(what, text, {text.tokens});
}

/// The same bits with and without statistics, and for any order of threads.
template <class T>
void check_equal_bits(const TextOf<T>& text) {
    name("equal bits", text);
    Observed first(text.spec.heads, text.tokens);
    std::vector<float> out = attend(text, 0, text.tokens, first);
    for (unsigned long seed : {0ul, SEED + 1, SEED + 2, SEED + 3}) {
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

Spec of_width(Spec spec, int headDim) {
    spec.headDim = headDim;
    return spec;
}

template <class T>
void check_all(std::mt19937_64& random, const std::vector<int>& lengths) {
    for (int tokens : lengths) {
        check_text("plain", random_text<T>(random, of_width(PLAIN, 64), tokens));
        check_text("bidirectional", random_text<T>(random, of_width(BIDIRECTIONAL, 64), tokens));
        check_text("windowed", random_text<T>(random, of_width(WINDOWED, 64), tokens));
    }
    for (int tokens : {17, 200}) {
        check_text("grouped", random_text<T>(random, of_width(GROUPED, 40), tokens));
        check_text("capped", random_text<T>(random, of_width(CAPPED, 64), tokens, 2));
        check_text("with sinks", random_text<T>(random, of_width(WITH_SINKS, 64), tokens));
    }
    for (int headDim : {8, 72, 80, 96, 128}) {
        check_text("width", random_text<T>(random, {.headDim = headDim}, 150));
    }
    check_text("wide", random_text<T>(random, {.headDim = 128}, 270));
    check_text("long", random_text<T>(random, {.headDim = 64}, 600)); // each slot is used again
    check_text("window of one", random_text<T>(random, {.headDim = 64, .window = 1}, 150));
    check_text("large scores", random_text<T>(random, of_width(PLAIN, 64), 130, 8));
    TextOf<T> ties = random_text<T>(random, of_width(PLAIN, 64), 130);
    ties.q.assign(ties.q.size(), from_float<T>(0));
    check_text("ties", ties);
    check_text("decode", random_text<T>(random, of_width(GROUPED, 64), 330), {130, 131, 258, 330});
    check_text("decode", random_text<T>(random, of_width(WINDOWED, 64), 200), {1, 2, 150, 200});
    check_equal_bits(random_text<T>(random, of_width(GROUPED, 64), 270));
    check_packed<T>(random, of_width(GROUPED, 64), {{70, 70}, {1, 300}, {130, 200}, {33, 33}, {1, 90}});
    check_packed<T>(random, of_width(BIDIRECTIONAL, 80), {{140, 140}, {5, 5}, {64, 64}, {128, 128}});
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    check_all<Bf16>(random, {1, 63, 65, 127, 128, 129, 300});
    check_all<F16>(random, {65, 129});
}
