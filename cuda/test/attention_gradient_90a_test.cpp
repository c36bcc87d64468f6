// The kernels of attention's gradient for Hopper.
#include "../block_place.cuh"
#include "attention_gradient_rounded.h"
#include "attention_maps.h"

namespace {

/// Gradients of packed texts with respect to queries, keys and values.
struct Passed {
    std::vector<float> q, k, v;
};

/// The tensor maps of both kernels.
template <class T>
struct Maps {
    TensorMap gradient, numbers, q, k, v;

    Maps(const Spec& spec, const std::vector<T>& gradient, const std::vector<float>& numbers, const std::vector<T>& q,
         const std::vector<T>& k, const std::vector<T>& v) {
        int rows = constant((named<T>("attention_key_gradient_90a", spec.headDim) + "_box").c_str());
        CHECK(rows == constant((named<T>("attention_query_gradient_90a", spec.headDim) + "_box").c_str()), "boxes");
        this->gradient = map_of_heads(gradient, spec.heads, spec.headDim, rows);
        this->numbers = map_of(numbers.data(), {numbers.size()}, {}, {static_cast<uint32_t>(4 * rows)}, 0);
        this->q = map_of_heads(q, spec.heads, spec.headDim, rows);
        this->k = map_of_heads(k, spec.kvHeads, spec.headDim, rows);
        this->v = map_of_heads(v, spec.kvHeads, spec.headDim, rows);
    }
};

/// One text, or several with a table of their tiles.
template <class T, class... A>
void launch_packed(const char* family, const Spec& spec, const Packed& packed, bool table, int TextTile::* rows,
                   int gridY, const std::vector<int>& more, A... arguments) {
    std::string kernel = named<T>(family, spec.headDim);
    std::vector<TextTile> tiles = packed.tiles(rows, constant((kernel + "_tile").c_str()));
    BlockOf block(constant((kernel + "_threads").c_str()), constant((kernel + "_shared").c_str()));
    const TextTile* given = table ? tiles.data() : nullptr;
    const TextTile& only = packed.texts[0];
    auto specified = [&](auto... rest) {
        launch(kernel.c_str(), static_cast<int64_t>(tiles.size()), gridY, block, arguments..., given,
               table ? -1 : only.queries, table ? -1 : only.keys, spec.heads, spec.kvHeads, spec.headDim, spec.scale(),
               static_cast<int>(spec.causal), spec.window, spec.softCap, rest...);
    };
    if (more.empty()) {
        specified();
    } else {
        specified(more[0], more[1]);
    }
}

Packed alone(const Spec& spec, int queries, int tokens) {
    Packed text;
    text.add(queries, tokens, spec.heads, queries);
    return text;
}

struct Kernels {
    template <class T>
    static void queries(const GradientOperands<T>& x, Actual& actual, const Cut& cut, bool observed) {
        float* none = nullptr;
        Maps<T> maps(x.spec, x.gradient, x.numbers, x.q, x.k, x.v);
        launch_packed<T>("attention_query_gradient_90a", x.spec, alone(x.spec, x.queries, x.tokens), false,
                         &TextTile::queries, x.spec.heads, {observed ? cut.groups : 0, cut.firstSource},
                         actual.q.data(), observed ? actual.rows.data() : none, observed ? actual.maximum.data() : none,
                         observed ? actual.groups.data() : none, maps.gradient, x.numbers.data(), maps.q, maps.k,
                         maps.v, observed ? cut.groupOf.data() : nullptr);
    }

    template <class T>
    static void keys(const GradientOperands<T>& x, Actual& actual, bool observed) {
        float* none = nullptr;
        Maps<T> maps(x.spec, x.gradient, x.numbers, x.q, x.k, x.v);
        launch_packed<T>("attention_key_gradient_90a", x.spec, alone(x.spec, x.queries, x.tokens), false,
                         &TextTile::keys, x.spec.kvHeads, {}, actual.k.data(), actual.v.data(),
                         observed ? actual.columns.data() : none, maps.gradient, maps.numbers, maps.q, maps.k, maps.v);
    }
};

/// Operands of several texts, [rows, heads * headDim] and [keys, kvHeads * headDim].
template <class T>
struct Operands {
    std::vector<T> gradient, q, k, v;
    std::vector<float> numbers;
};

/// Gradients of texts, with a block per key head or per query head.
template <class T>
Passed run_packed(const Spec& spec, const Packed& packed, bool table, const Operands<T>& x, bool byHead) {
    Passed passed{std::vector<float>(x.q.size(), NAN), std::vector<float>(x.k.size(), NAN),
                  std::vector<float>(x.v.size(), NAN)};
    float* none = nullptr;
    const int* noGroups = nullptr;
    Maps<T> maps(spec, x.gradient, x.numbers, x.q, x.k, x.v);
    launch_packed<T>("attention_query_gradient_90a", spec, packed, table, &TextTile::queries, spec.heads, {0, 0},
                     passed.q.data(), none, none, none, maps.gradient, x.numbers.data(), maps.q, maps.k, maps.v,
                     noGroups);
    int sharing = byHead ? spec.heads / spec.kvHeads : 1;
    std::vector<float> kParts(passed.k.size() * sharing, NAN), vParts(kParts);
    launch_packed<T>("attention_key_gradient_90a", spec, packed, table, &TextTile::keys, spec.kvHeads * sharing, {},
                     kParts.data(), vParts.data(), none, maps.gradient, maps.numbers, maps.q, maps.k, maps.v);
    int threads = constant("attention_key_gradient_sum_threads");
    auto count = static_cast<int64_t>(passed.k.size());
    for (auto [parts, whole] : {std::pair{&kParts, &passed.k}, std::pair{&vParts, &passed.v}}) {
        launch("attention_key_gradient_sum_f32", pieces(count, threads), 1, threads, whole->data(), parts->data(),
               count, sharing, spec.headDim);
    }
    return passed;
}

/// Several texts at once give the bits of one text at a time, although every second one contains NaN.
template <class T>
void check_packed(std::mt19937_64& random, const Spec& spec, const std::vector<std::pair<int, int>>& lengths) {
    situation = std::string("packed gradients, ") + NAME<T>;
    Packed packed;
    Operands<T> all;
    std::vector<Operands<T>> own;
    auto append = [](auto& to, const auto& rows) { to.insert(to.end(), rows.begin(), rows.end()); };
    for (auto [queries, keys] : lengths) {
        TextOf<T> text = random_text<T>(random, spec, keys, 0.2f); // scores that any shift suits
        int64_t width = static_cast<int64_t>(spec.heads) * spec.headDim;
        own.push_back({random_numbers<T>(random, queries * width),
                       rows(text.q, spec.heads * spec.headDim, keys - queries, keys),
                       text.k,
                       text.v,
                       {}});
        Operands<T>& x = own.back();
        for (int i = 0; i < spec.heads * queries; i++) {
            append(x.numbers, std::vector<float>{-5.0f - static_cast<float>(i % 7), static_cast<float>(i % 5) - 2,
                                                 sizeof(T) == 2 && NARROW<T> ? 0.5f : 1, 0});
        }
        if (own.size() % 2 == 0) {
            for (std::vector<T>* operand : {&x.gradient, &x.q, &x.k, &x.v}) {
                operand->assign(operand->size(), from_float<T>(NAN));
            }
            x.numbers.assign(x.numbers.size(), NAN);
        }
        // Logarithms of a text alone are counted from its first query.
        packed.add(queries, keys, spec.heads, queries);
        packed.texts.back().statistics -= spec.causal ? keys - queries : 0;
        append(all.gradient, x.gradient);
        append(all.q, x.q);
        append(all.k, x.k);
        append(all.v, x.v);
        append(all.numbers, x.numbers);
    }
    Passed together = run_packed(spec, packed, true, all, true);
    for (std::size_t i = 0; i < own.size(); i += 2) {
        const TextTile& text = packed.texts[i];
        Passed one = run_packed(spec, alone(spec, text.queries, text.keys), false, own[i], false);
        auto same = [&](const std::vector<float>& x, const std::vector<float>& whole, int heads, int from, int count) {
            return same_bits(x, rows(whole, heads * spec.headDim, from, from + count));
        };
        CHECK(same(one.q, together.q, spec.heads, text.queryStart, text.queries), "queries of text %zu", i);
        CHECK(same(one.k, together.k, spec.kvHeads, text.keyStart, text.keys), "keys of text %zu", i);
        CHECK(same(one.v, together.v, spec.kvHeads, text.keyStart, text.keys), "values of text %zu", i);
        for (float x : one.k) {
            CHECK(std::isfinite(x), "keys of text %zu", i);
        }
    }
}

/// Each tile of each head has one block; within as many heads as run side by side, tiles come in order.
void check_places() {
    for (int tiles : {1, 3, 64}) {
        for (int heads : {1, 7, 32}) {
            for (int side : {1, 4, 7, 40}) {
                situation = std::to_string(tiles) + " tiles, " + std::to_string(heads) + " heads";
                std::vector<int> blocks(tiles * heads);
                BlockPlace before{0, 0};
                for (int block = 0; block < tiles * heads; block++) {
                    BlockPlace own = BlockPlace::of(block, tiles, heads, side);
                    CHECK(own.tile < tiles && own.head < heads, "tile %d, head %d", own.tile, own.head);
                    blocks[own.head * tiles + own.tile]++;
                    CHECK(own.tile >= before.tile || own.head / side > before.head / side, "the order of %d", block);
                    before = own;
                }
                CHECK(blocks == std::vector<int>(tiles * heads, 1), "a block per tile and head");
            }
        }
    }
}

Spec of_width(Spec spec, int headDim) {
    spec.headDim = headDim;
    return spec;
}

template <class T>
void check_all(std::mt19937_64& random, const std::vector<int>& lengths) {
    for (int tokens : lengths) {
        check_random<T, Kernels>(random, "plain", of_width(PLAIN, 64), tokens, tokens);
        check_random<T, Kernels>(random, "bidirectional", of_width(BIDIRECTIONAL, 64), tokens, tokens);
    }
    for (int tokens : {33, 129}) {
        check_random<T, Kernels>(random, "grouped", of_width(GROUPED, 40), tokens, tokens);
        check_random<T, Kernels>(random, "capped", of_width(CAPPED, 64), tokens, tokens, 2);
        check_random<T, Kernels>(random, "with sinks", of_width(WITH_SINKS, 64), tokens, tokens);
    }
    // Tiles behind a group's window; several heads of a block
    Spec windowed{.heads = 4, .kvHeads = 2, .headDim = 64, .window = 33};
    check_random<T, Kernels>(random, "windowed", windowed, 330, 330);
    for (int headDim : {72, 80, 96, 128}) {
        check_random<T, Kernels>(random, "width", {.heads = 2, .kvHeads = 1, .headDim = headDim}, 70, 70);
    }
    check_random<T, Kernels>(random, "wide", {.headDim = 128}, 270, 270);
    check_random<T, Kernels>(random, "long", {.heads = 2, .kvHeads = 1, .headDim = 64}, 460,
                             460); // slots are used again
    for (int queries : {1, 66, 129}) {
        check_random<T, Kernels>(random, "the last queries", of_width(GROUPED, 64), 200, queries);
        check_random<T, Kernels>(random, "the last queries, windowed", of_width(WINDOWED, 64), 330, queries);
    }
    for (int firstSource : {1, 38, 66}) {
        check_random<T, Kernels>(random, "without the first sources", of_width(GROUPED, 64), 70, 70, 1, firstSource);
    }
    check_random<T, Kernels>(random, "window of one", {.headDim = 64, .window = 1}, 150, 150);
    check_random<T, Kernels>(random, "large scores", of_width(PLAIN, 64), 130, 130, 8);
    check_random<T, Kernels>(random, "small gradients", of_width(PLAIN, 64), 130, 130, 1, 0, 1e-9f);
    check_random<T, Kernels>(random, "no gradients", of_width(PLAIN, 64), 70, 70, 1, 0, 0);
    check_sizes<T, Kernels>(random, of_width(GROUPED, 64), 200);
    check_equal_bits<T, Kernels>(random, of_width(GROUPED, 64), 130);
    check_packed<T>(random, of_width(GROUPED, 64), {{70, 70}, {1, 300}, {130, 200}, {33, 33}, {1, 90}});
    check_packed<T>(random, of_width(BIDIRECTIONAL, 80), {{140, 140}, {5, 5}, {64, 64}, {128, 128}});
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    check_places();
    check_all<Bf16>(random, {1, 63, 64, 65, 129, 200});
    check_all<F16>(random, {65, 129});
}
