// Attention of several texts in one launch: every text has the bits that it has alone.
#include "attention_decoding.h"

#include <numeric>

namespace {

const int NUMBERS = 7; // sums over rows per head

/// Texts of one spec, of each of which the last queries are new.
template <class T>
struct Batch {
    Spec spec;
    std::vector<TextOf<T>> texts;
    std::vector<int> queries;
};

/// The number of rows in a block's tile of a family of kernels, and the block.
struct Family {
    std::string kernel;
    int tile;
    BlockOf block;
};

template <class T>
Family family(const char* name, const char* rows, int headDim) {
    std::string kernel = withWidth<T>(name, headDim);
    if (sizeof(T) == 4) {
        std::string shared = name;
        return {kernel, constant((shared + "_" + rows).c_str()), BlockOf(constant((shared + "_threads").c_str()))};
    }
    return {kernel, constant((kernel + "_tile").c_str()),
            BlockOf(constant((kernel + "_threads").c_str()), headscope_constant((kernel + "_shared").c_str()))};
}

/// Statistics and results of a batch; NaN where nothing was written.
template <class T>
struct Results {
    std::vector<float> out, logSumExp, logDiagonal, entropy, maximum, previous, distance, row;
    std::vector<double> columnSum, sums;
    std::vector<float> alone, signedSum, qGradient, kGradient, vGradient;

    Results(int64_t q, int64_t k, int64_t vectors, int64_t queries, int64_t heads)
        : out(q, NAN), logSumExp(vectors, NAN), logDiagonal(vectors, NAN), entropy(vectors, NAN), maximum(vectors, NAN),
          previous(vectors, NAN), distance(vectors, NAN), row(vectors, NAN), columnSum(vectors, NAN),
          sums(heads * NUMBERS, NAN), alone(queries, NAN), signedSum(queries, NAN), qGradient(q, NAN),
          kGradient(k, NAN), vGradient(k, NAN) {}
};

/// A text's entry, with its vectors at an element.
TextTile entry(int queries, int keys, int firstQuery, int firstKey, int slot, int64_t statistics, int capacity) {
    return {statistics, capacity, slot, queries, keys, firstQuery, firstKey, 0, 0};
}

/// The tiles of all texts, those with the largest index first.
std::vector<TextTile> tiles(const std::vector<TextTile>& texts, int size, bool ofKeys) {
    std::vector<TextTile> all;
    for (TextTile text : texts) {
        for (text.tile = 0; text.tile * size < (ofKeys ? text.keys : text.queries); text.tile++) {
            all.push_back(text);
        }
    }
    std::stable_sort(all.begin(), all.end(), [](const TextTile& a, const TextTile& b) { return a.tile > b.tile; });
    return all;
}

template <class T>
struct Operands {
    std::vector<T> q, k, v;
    std::vector<float> gradient;
};

/// The rows of x in pages in reverse order, the rows of the pages beyond each text's keys NaN; `pages` receives their
/// places.
template <class T>
std::vector<T> paged(const std::vector<T>& x, int width, std::vector<TextTile>& texts, std::vector<int>& pages) {
    int page = constant("attention_decode_page");
    int count = 0;
    for (TextTile& text : texts) {
        text.firstPage = count;
        count += static_cast<int>(pieces(text.keys, page));
    }
    std::vector<T> pool(static_cast<std::size_t>(count) * page * width, from_float<T>(NAN));
    pages.resize(count);
    for (TextTile& text : texts) {
        for (int key = 0; key < text.keys; key++) {
            int& at = pages[text.firstPage + key / page];
            at = count - 1 - text.firstPage - key / page;
            std::copy_n(x.begin() + static_cast<int64_t>(text.keyStart + key) * width, width,
                        pool.begin() + (static_cast<int64_t>(at) * page + key % page) * width);
        }
    }
    return pool;
}

/// Adds the rows in a launch of their own, except that of the second text: the others have the sums of attention_merge.
template <class T>
void check_added_later(const Results<T>& r, Decoding<T>& decoding, const std::vector<TextTile>& texts,
                       std::vector<float>& scores, float* const* statistics) {
    int heads = decoding.spec.heads;
    int count = static_cast<int>(r.sums.size()) / (heads * NUMBERS);
    int entries = static_cast<int>(texts.size());
    std::vector<float> newest(2 * static_cast<std::size_t>(count) * heads, NAN), out(r.out.size(), NAN);
    std::vector<double> columns(r.columnSum.size(), 0.25), sums(r.sums.size(), 0.5);
    std::vector<int> steps(entries, 1);
    steps[1] = 0;
    decoding.merge(entries, out.data(), statistics, {.newest = newest.data()}, texts.data(), entries, 1, -1, -1);
    CHECK(same_bits(out, r.out), "without column sums");
    int keys = constant("attention_add_rows_keys");
    int blocks = static_cast<int>(texts.back().firstPage) * constant("attention_decode_page") / keys + entries;
    decoding.add_rows(blocks, statistics, {.scores = scores.data(), .columnSum = columns.data(), .sums = sums.data(),
                                           .newest = newest.data()}, texts.data(), steps.data(), entries, count);
    std::vector<double> expected = r.columnSum, expectedSums = r.sums;
    const TextTile& left = texts[1];
    std::fill_n(expected.begin() + left.statistics, static_cast<int64_t>(heads) * left.capacity, 0.25);
    std::fill_n(expectedSums.begin() + static_cast<int64_t>(left.slot) * heads * NUMBERS, heads * NUMBERS, 0.5);
    CHECK(same_bits(columns, expected), "column sums, added later");
    CHECK(same_bits(sums, expectedSums), "sums, added later");
}

/// Decodes texts of one query each; packed keys lie in pages, and the last entry is a place without a text.
template <class T>
void decode(Results<T>& r, const Batch<T>& batch, const Operands<T>& x, bool packed, std::vector<TextTile> texts,
            int longest) {
    const Spec& spec = batch.spec;
    int count = static_cast<int>(texts.size());
    int keys = constant("attention_decode_keys");
    int bin = constant("attention_merge_keys");
    std::vector<int> pages;
    Operands<T> operands = x;
    int64_t splits = pieces(longest, keys);
    int64_t blocks = 1 + pieces(longest, bin);
    int capacity = texts[0].capacity;
    if (packed) {
        int width = spec.kvHeads * spec.headDim;
        operands.k = paged(x.k, width, texts, pages);
        operands.v = paged(x.v, width, texts, pages);
        for (TextTile& text : texts) {
            text.keyStart = 0;
        }
        int64_t all = static_cast<int64_t>(pages.size()) * constant("attention_decode_page");
        splits = all / keys + count;
        blocks = all / bin + 2 * count;
        texts.push_back({0, 0, count, 1, 0, count, 0, 0, static_cast<int>(pages.size())});
    }
    const TextTile* table = packed ? texts.data() : nullptr;
    int entries = static_cast<int>(texts.size());
    Decoding<T> decoding(spec, static_cast<int>(splits), 1);
    decoding.decode(r.row.data(), operands.q.data(), operands.k.data(), operands.v.data(), packed ? pages.data() : nullptr,
                    table, entries, 1, packed ? -1 : longest, capacity);
    std::vector<float> scores = r.row;
    // The earlier tokens' column sums, which the row is added to.
    std::fill(r.columnSum.begin(), r.columnSum.end(), 0.25);
    std::fill(r.sums.begin(), r.sums.end(), 0.5);
    float* statistics[6] = {r.logSumExp.data(), r.logDiagonal.data(), r.entropy.data(),
                            r.maximum.data(),   r.previous.data(),    r.distance.data()};
    decoding.merge(static_cast<int>(blocks), r.out.data(), statistics,
                   {r.row.data(), r.columnSum.data(), r.sums.data(), nullptr, 0, bin, 0}, table, entries, 1,
                   packed ? -1 : longest, capacity);
    if (packed) {
        check_added_later(r, decoding, texts, scores, statistics);
    }
}

/// Runs every kernel on packed operands, or on those of one text; texts of one query each can be decoded instead.
template <class T>
Results<T> run(const Batch<T>& batch, const Operands<T>& x, bool packed, bool decoded) {
    const Spec& spec = batch.spec;
    int heads = spec.heads;
    int count = static_cast<int>(batch.texts.size());
    std::vector<TextTile> observed, alone;
    int firstQuery = 0;
    int firstKey = 0;
    int64_t vectors = 0;
    for (int i = 0; i < count; i++) {
        int queries = batch.queries[i];
        int keys = batch.texts[i].tokens;
        int capacity = keys + i % 3;
        // Slots need not be in the order of the texts.
        observed.push_back(entry(queries, keys, firstQuery, firstKey, count - 1 - i, vectors, capacity));
        alone.push_back(entry(queries, keys, firstQuery, firstKey, 0,
                              static_cast<int64_t>(heads) * firstQuery - (spec.causal ? keys - queries : 0), queries));
        firstQuery += queries;
        firstKey += keys;
        vectors += static_cast<int64_t>(heads) * capacity;
    }
    Results<T> r(static_cast<int64_t>(x.q.size()), static_cast<int64_t>(x.k.size()), vectors,
                 static_cast<int64_t>(heads) * firstQuery, static_cast<int64_t>(heads) * count);
    int queries = batch.queries[0];
    int keys = batch.texts[0].tokens;
    int capacity = observed[0].capacity;
    int longest = std::accumulate(batch.texts.begin(), batch.texts.end(), 0,
                                  [](int most, const TextOf<T>& text) { return std::max(most, text.tokens); });
    float* none = nullptr;
    const float* sinks = spec.sinks.empty() ? nullptr : spec.sinks.data();
    auto specified = [&](const char* name, const char* rows, bool ofKeys, const std::vector<TextTile>& texts, int gridY,
                         int room, auto... arguments) {
        Family kernels = family<T>(name, rows, spec.headDim);
        std::vector<TextTile> table = tiles(texts, kernels.tile, ofKeys);
        launch(kernels.kernel.c_str(), static_cast<int64_t>(table.size()), gridY, kernels.block, arguments...,
               packed ? table.data() : nullptr, packed ? -1 : queries, packed ? -1 : keys, heads, spec.kvHeads,
               spec.headDim, spec.scale(), static_cast<int>(spec.causal), spec.window, spec.softCap, room);
    };
    const TextTile* texts = packed ? observed.data() : nullptr;
    if (decoded) {
        decode(r, batch, x, packed, observed, longest);
        return r;
    }
    auto forward = [&](const std::vector<TextTile>& table, int room, float* out, auto... rest) {
        if constexpr (sizeof(T) == 4) {
            specified("attention_forward", "query_tile", false, table, heads, room, out, rest...);
        } else {
            specified("attention_forward", "query_tile", false, table, heads, room, out, static_cast<T*>(nullptr), rest...);
        }
    };
    forward(observed, capacity, r.out.data(), r.logSumExp.data(), r.logDiagonal.data(), r.entropy.data(), r.maximum.data(),
            r.previous.data(), r.distance.data(), x.q.data(), x.k.data(), x.v.data(), sinks);
    std::vector<float> again(r.logSumExp.size(), NAN);
    specified("attention_statistics", "query_tile", false, observed, heads, capacity, again.data(), r.logDiagonal.data(),
              r.entropy.data(), r.maximum.data(), r.previous.data(), r.distance.data(), x.q.data(), x.k.data(), sinks);
    CHECK(same_bits(again, r.logSumExp), "statistics alone");
    std::fill(r.columnSum.begin(), r.columnSum.end(), 0.25);
    specified("attention_columns", "key_tile", true, observed, heads, capacity, r.columnSum.data(), r.logSumExp.data(),
              x.q.data(), x.k.data());
    std::fill(r.sums.begin(), r.sums.end(), 0.5);
    launch("attention_sums_f64", heads, count, fitting("attention_sums_threads", longest), r.sums.data(),
           r.logSumExp.data(), r.logDiagonal.data(), r.entropy.data(), r.maximum.data(), r.previous.data(),
           r.distance.data(), texts, queries, keys, heads, spec.kvHeads, spec.headDim, spec.scale(),
           static_cast<int>(spec.causal), spec.window, spec.softCap, capacity);
    std::vector<float> out(r.out.size(), NAN);
    forward(alone, 0, out.data(), r.alone.data(), none, none, none, none, none, x.q.data(), x.k.data(), x.v.data(), sinks);
    CHECK(same_bits(out, r.out), "observed and not");
    int groups = 0;
    const int* noGroups = nullptr;
    const float* gradient = x.gradient.data();
    auto queryGradient = [&](auto... arguments) {
        Family kernels = family<T>("attention_query_gradient", "query_tile", spec.headDim);
        std::vector<TextTile> table = tiles(alone, kernels.tile, false);
        launch(kernels.kernel.c_str(), static_cast<int64_t>(table.size()), heads, kernels.block, arguments..., x.q.data(),
               x.k.data(), x.v.data(), noGroups, packed ? table.data() : nullptr, queries, keys, heads, spec.kvHeads,
               spec.headDim, spec.scale(), static_cast<int>(spec.causal), spec.window, spec.softCap, groups, 0);
    };
    // A text alone takes a block per key head, a batch one per query head.
    std::vector<float> kParts(r.qGradient.size() / firstQuery * firstKey, NAN), vParts(kParts);
    auto keyGradient = [&](auto... arguments) {
        specified("attention_key_gradient", "key_tile", true, alone, packed ? heads : spec.kvHeads, 0,
                  packed ? kParts.data() : r.kGradient.data(), packed ? vParts.data() : r.vGradient.data(), none,
                  arguments..., x.q.data(), x.k.data(), x.v.data());
    };
    if constexpr (sizeof(T) == 4) {
        queryGradient(r.qGradient.data(), r.signedSum.data(), none, none, none, gradient, out.data(), r.alone.data());
        keyGradient(gradient, r.alone.data(), r.signedSum.data());
    } else {
        std::vector<T> rounded(x.gradient.size());
        std::vector<float> numbers(4 * r.alone.size(), NAN);
        specified("attention_gradient_rows", "query_tile", false, alone, heads, 0, rounded.data(), r.signedSum.data(),
                  numbers.data(), gradient, out.data(), r.alone.data());
        queryGradient(r.qGradient.data(), none, none, none, rounded.data(), numbers.data());
        keyGradient(rounded.data(), numbers.data());
    }
    int threads = constant("attention_key_gradient_sum_threads");
    int64_t elements = static_cast<int64_t>(r.kGradient.size());
    for (auto [parts, whole] : {std::pair{&kParts, &r.kGradient}, std::pair{&vParts, &r.vGradient}}) {
        if (packed) {
            launch("attention_key_gradient_sum_f32", pieces(elements, threads), 1, threads, whole->data(), parts->data(),
                   elements, heads / spec.kvHeads, spec.headDim);
        }
    }
    return r;
}

template <class X>
void append(std::vector<X>& all, const std::vector<X>& more) {
    all.insert(all.end(), more.begin(), more.end());
}

template <class T>
void check_batch(std::mt19937_64& random, const char* name, const Spec& spec, const std::vector<int>& lengths,
                 const std::vector<int>& queries) {
    situation = std::string(name) + ", " + NAME<T>;
    int rowWidth = spec.heads * spec.headDim;
    Batch<T> batch{spec, {}, queries};
    Operands<T> packed;
    std::vector<Operands<T>> alone;
    for (std::size_t i = 0; i < lengths.size(); i++) {
        TextOf<T> text = random_text<T>(random, spec, lengths[i]);
        Operands<T> own{rows(text.q, rowWidth, lengths[i] - queries[i], lengths[i]), text.k, text.v,
                        random_floats(random, static_cast<int64_t>(queries[i]) * rowWidth)};
        append(packed.q, own.q);
        append(packed.k, own.k);
        append(packed.v, own.v);
        append(packed.gradient, own.gradient);
        alone.push_back(own);
        batch.texts.push_back(text);
    }
    bool decoded = std::all_of(queries.begin(), queries.end(), [](int n) { return n == 1; });
    Results<T> actual = run(batch, packed, true, decoded);
    int count = static_cast<int>(lengths.size());
    int64_t q = 0, k = 0, vector = 0, row = 0;
    for (int i = 0; i < count; i++) {
        // The capacity of a text depends on its place in the batch.
        Batch<T> one{spec, {batch.texts[i]}, {queries[i]}};
        Results<T> expected = run(one, alone[i], false, decoded);
        situation = std::string(name) + ", " + NAME<T> + ", text " + std::to_string(i);
        auto compare = [&](const auto& all, const auto& own, int64_t at, const char* what) {
            using X = typename std::decay_t<decltype(all)>::value_type;
            CHECK(same_bits(std::vector<X>(all.begin() + at, all.begin() + at + static_cast<int64_t>(own.size())), own),
                  "%s", what);
        };
        compare(actual.out, expected.out, q, "out");
        compare(actual.qGradient, expected.qGradient, q, "qGradient");
        compare(actual.kGradient, expected.kGradient, k, "kGradient");
        compare(actual.vGradient, expected.vGradient, k, "vGradient");
        compare(actual.alone, expected.alone, row, "logSumExp alone");
        compare(actual.signedSum, expected.signedSum, row, "signedSum");
        compare(actual.sums, expected.sums, static_cast<int64_t>(count - 1 - i) * spec.heads * NUMBERS, "sums");
        int tokens = lengths[i];
        int capacity = tokens + i % 3;
        for (int head = 0; head < spec.heads; head++) {
            int64_t at = vector + static_cast<int64_t>(head) * capacity;
            auto head_vector = [&](const auto& all, const auto& own, const char* what) {
                using X = typename std::decay_t<decltype(own)>::value_type;
                std::vector<X> x(own.begin() + static_cast<int64_t>(head) * tokens,
                                 own.begin() + static_cast<int64_t>(head + 1) * tokens);
                compare(all, x, at, what);
            };
            head_vector(actual.logSumExp, expected.logSumExp, "logSumExp");
            head_vector(actual.logDiagonal, expected.logDiagonal, "logDiagonal");
            head_vector(actual.entropy, expected.entropy, "entropy");
            head_vector(actual.maximum, expected.maximum, "maximum");
            head_vector(actual.previous, expected.previous, "previous");
            head_vector(actual.distance, expected.distance, "distance");
            head_vector(actual.row, expected.row, "row");
            head_vector(actual.columnSum, expected.columnSum, "columnSum");
        }
        q += static_cast<int64_t>(expected.out.size());
        k += static_cast<int64_t>(expected.kGradient.size());
        row += static_cast<int64_t>(expected.alone.size());
        vector += static_cast<int64_t>(spec.heads) * capacity;
    }
}

template <class T>
void check_batches(std::mt19937_64& random) {
    std::vector<int> lengths = {1, 130, 2, 63, 64, 65, 33};
    for (const auto& [name, spec] : std::vector<std::pair<const char*, Spec>>{
             {"plain", PLAIN}, {"grouped", GROUPED}, {"bidirectional", BIDIRECTIONAL}, {"windowed", WINDOWED},
             {"capped", CAPPED}, {"with sinks", WITH_SINKS}}) {
        check_batch<T>(random, name, spec, lengths, lengths);
    }
    check_batch<T>(random, "continued", GROUPED, lengths, {1, 70, 1, 63, 3, 64, 2});
    std::vector<int> decoded = {1, 300, 2, 257, 256, 33, 600};
    for (const auto& [name, spec] : std::vector<std::pair<const char*, Spec>>{
             {"decoded", GROUPED}, {"decoded, windowed", WINDOWED}, {"decoded, with sinks", WITH_SINKS}}) {
        check_batch<T>(random, name, spec, decoded, {1, 1, 1, 1, 1, 1, 1});
    }
    check_batch<T>(random, "decoded, many heads", {.heads = 18, .kvHeads = 2, .headDim = 16}, {40, 300, 1100, 1},
                   {1, 1, 1, 1});
    int most = constant("attention_merge_few") * constant("attention_decode_keys"); // of rows that one warp merges
    check_batch<T>(random, "decoded, long", GROUPED, {most, 3, most + 1}, {1, 1, 1});
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    check_batches<float>(random);
    check_batches<Bf16>(random);
    check_batches<F16>(random);
}
