// The newest row of attention and the pooled atlas against plain loops in double.
#include "attention_decoding.h"
#include "attention_observed.h"

namespace {

/// Tokens per cell of a text: the smallest power of two for which the cells hold all tokens.
int bin_of(int side, int tokens) {
    int bin = 1;
    while (side * bin < tokens) {
        bin *= 2;
    }
    return bin;
}

int rows_of(int side, int tokens) {
    return static_cast<int>(pieces(tokens, bin_of(side, tokens)));
}

/// The kernels' results for one text.
struct Atlas {
    Spec spec;
    int side;
    int mean;
    int capacity;
    std::vector<float> cells; // [heads, side, side]
    std::vector<float> row;   // [heads, capacity]
    std::vector<double> sums; // [heads, 7]
    Observed observed;
    int tokens = 0;

    Atlas(const Spec& spec, int side, int mean, int capacity)
        : spec(spec), side(side), mean(mean), capacity(capacity),
          cells(static_cast<std::size_t>(spec.heads) * side * side, NAN),
          row(static_cast<std::size_t>(spec.heads) * capacity, NAN),
          sums(static_cast<std::size_t>(spec.heads) * 7, NAN), observed(spec.heads, capacity) {}

    void merge(int end) {
        int factor = bin_of(side, end) / bin_of(side, tokens);
        if (tokens > 0 && factor > 1) {
            launch("attention_cells_merge_f32", spec.heads, 1, constant("attention_cells_threads"), cells.data(), side,
                   rows_of(side, tokens), factor, mean);
        }
    }

    /// Several queries, whose log-sum-exp is known.
    template <class T>
    void add_rows(const TextOf<T>& text, const Attention& expected, int end) {
        int queries = end - tokens;
        int bin = bin_of(side, end);
        merge(end);
        for (int head = 0; head < spec.heads; head++) {
            for (int i = tokens; i < end; i++) {
                observed.logSumExp[head * capacity + i] =
                    static_cast<float>(expected.logSumExp[static_cast<int64_t>(head) * text.tokens + i]);
            }
        }
        std::vector<float> pooled(static_cast<std::size_t>(spec.heads) * queries * side, NAN);
        std::vector<T> q = rows(text.q, spec.heads * spec.headDim, tokens, end);
        constexpr bool WIDE = sizeof(T) == sizeof(float);
        std::string kernel = withWidth<T>("attention_cells", spec.headDim);
        int tile = constant(WIDE ? "attention_cells_query_tile" : (kernel + "_tile").c_str());
        BlockOf block(constant(WIDE ? "attention_cells_threads" : (kernel + "_threads").c_str()),
                      WIDE ? 0 : constant((kernel + "_shared").c_str()));
        launch(kernel.c_str(), pieces(queries, tile), spec.heads, block, pooled.data(), observed.logSumExp.data(), q.data(),
               text.k.data(), NO_TILES, queries, end, spec.heads, spec.kvHeads, spec.headDim, spec.scale(),
               static_cast<int>(spec.causal), spec.window, spec.softCap, capacity, side, bin, mean);
        int touched = (end - 1) / bin - tokens / bin + 1;
        int64_t count = static_cast<int64_t>(spec.heads) * touched * side;
        launch("attention_cells_pool_f32", pieces(count, constant("attention_cells_threads")), 1,
               constant("attention_cells_threads"), cells.data(), pooled.data(), count, queries, tokens, touched, side,
               bin, mean);
        tokens = end;
    }

    /// One query: scores, log-sum-exp without values, then the row. cells is null without an atlas.
    template <class T>
    void add_row(const TextOf<T>& text, bool pool) {
        int end = tokens + 1;
        merge(end);
        int splits = static_cast<int>(pieces(end, constant("attention_decode_keys")));
        std::vector<T> q = rows(text.q, spec.heads * spec.headDim, tokens, end);
        Decoding<T> decoding(spec, splits, 1);
        const T* noValues = nullptr;
        decoding.decode(row.data(), q.data(), text.k.data(), noValues, nullptr, NO_TILES, 1, 1, end, capacity);
        float* statistics[6];
        for (int i = 0; i < 6; i++) {
            statistics[i] = observed.all()[i]->data();
        }
        int bin = pool ? bin_of(side, end) : constant("attention_merge_keys");
        int blocks = pool ? side : static_cast<int>(pieces(end, bin));
        decoding.merge(1 + blocks, static_cast<float*>(nullptr), statistics,
                       {row.data(), observed.columnSum.data(), sums.data(), pool ? cells.data() : nullptr, side, bin, mean},
                       NO_TILES, 1, 1, end, capacity);
        tokens = end;
    }

    /// The rows of cells with tokens, as a snapshot gathers them, [heads, rows, side].
    std::vector<float> gathered() const {
        int rows = rows_of(side, tokens);
        std::vector<float> values(static_cast<std::size_t>(spec.heads) * rows * side, NAN);
        launch("attention_snapshot_cells_f32", pieces(static_cast<int64_t>(values.size()), constant("attention_snapshot_threads")),
               1, constant("attention_snapshot_threads"), values.data(), cells.data(),
               static_cast<int64_t>(values.size()), side, 0, rows, tokens, bin_of(side, tokens), mean);
        return values;
    }
};

/// Sums over the rows from .. end - 1 of the kernels' own vectors, [heads, 7].
std::vector<double> row_sums(Observed& observed, bool causal, int from, int end) {
    std::vector<double> sums;
    for (int head = 0; head < observed.heads; head++) {
        double x[7] = {};
        for (int i = from; i < end; i++) {
            int at = head * observed.capacity + i;
            int keys = causal ? i + 1 : end;
            x[0] += observed.logDiagonal[at];
            x[1] += observed.entropy[at];
            x[2] += keys > 1 ? observed.entropy[at] / std::log(static_cast<double>(keys)) : 0;
            x[3] += observed.distance[at];
            x[4] += i > 0 ? observed.previous[at] : 0;
            x[5] += std::exp(static_cast<double>(observed.logDiagonal[at]));
            x[6] += observed.maximum[at];
        }
        sums.insert(sums.end(), x, x + 7);
    }
    return sums;
}

/// Maxima, or means over the entries within the text, of the first rows of maps, [heads, rows, side].
std::vector<double> expected_cells(const Attention& expected, const Atlas& atlas, int length) {
    int tokens = atlas.tokens;
    int bin = bin_of(atlas.side, tokens);
    int rows = rows_of(atlas.side, tokens);
    std::vector<double> cells(static_cast<std::size_t>(atlas.spec.heads) * rows * atlas.side);
    std::vector<int> entries(cells.size());
    for (int head = 0; head < atlas.spec.heads; head++) {
        for (int i = 0; i < tokens; i++) {
            for (int j = 0; j < tokens; j++) {
                int64_t at = (static_cast<int64_t>(head) * rows + i / bin) * atlas.side + j / bin;
                double p = expected.map[(static_cast<int64_t>(head) * length + i) * length + j];
                cells[at] = atlas.mean ? cells[at] + p : std::max(cells[at], p);
                entries[at]++;
            }
        }
    }
    for (std::size_t i = 0; i < cells.size(); i++) {
        cells[i] = atlas.mean && entries[i] > 0 ? cells[i] / entries[i] : cells[i];
    }
    return cells;
}

template <class T>
void check_cells(const char* what, const TextOf<T>& text, const Attention& expected, const Atlas& atlas) {
    double error = 3 * score_error(text, expected);
    check_close(atlas.gathered(), expected_cells(expected, atlas, text.tokens), error, 2e-6, what);
}

/// A prompt of 16-bit operands, in one call and in two.
template <class T>
void check_prompt(std::mt19937_64& random, const Spec& spec, int tokens, int side, int mean) {
    situation = std::string(NAME<T>) + ", width " + std::to_string(spec.headDim) + ", " + std::to_string(side) +
                " cells, mean " + std::to_string(mean) + ", " + std::to_string(tokens) + " tokens";
    TextOf<T> text = random_text<T>(random, spec, tokens);
    Attention expected = reference(text);
    Atlas atlas(spec, side, mean, tokens + 3);
    if (spec.causal) {
        Atlas halves = atlas;
        halves.add_rows(text, expected, (tokens + 1) / 2);
        halves.add_rows(text, expected, tokens);
        check_cells("the last queries", text, expected, halves);
    }
    atlas.add_rows(text, expected, tokens);
    check_cells("prompt", text, expected, atlas);
    for (unsigned long seed : {0ul, SEED + 1}) {
        Atlas again(spec, side, mean, tokens + 3);
        headscope_shuffle(seed);
        again.add_rows(text, expected, tokens);
        CHECK(same_bits(again.gathered(), atlas.gathered()), "the order of threads");
    }
    headscope_shuffle(SEED);
}

template <class T>
void check_prompts(std::mt19937_64& random) {
    for (int mean : {0, 1}) {
        for (int tokens : {2, 31, 64, 65, 129, 257}) {
            check_prompt<T>(random, {.heads = 2, .kvHeads = 1, .headDim = 16}, tokens, 7, mean);
        }
        for (int headDim : {1, 64, 80, 96, 128, 250, 256}) {
            check_prompt<T>(random, {.heads = 2, .kvHeads = 1, .headDim = headDim}, 70, 64, mean);
        }
        check_prompt<T>(random, {.headDim = 16, .causal = false}, 70, 9, mean);
        check_prompt<T>(random, {.headDim = 16, .window = 5}, 140, 20, mean);
        check_prompt<T>(random, {.headDim = 16, .softCap = 5}, 70, 5, mean);
        check_prompt<T>(random, {.heads = 2, .headDim = 16, .sinks = {1.5f, 40}}, 70, 5, mean);
    }
}

/// A prompt in one call, then single queries.
void check_atlas(std::mt19937_64& random, const Spec& spec, int tokens, int prompt, int side, int mean) {
    situation = std::to_string(side) + " cells, mean " + std::to_string(mean) + ", " + std::to_string(prompt) + " of " +
                std::to_string(tokens) + " tokens";
    Text text = random_text(random, spec, tokens);
    Attention expected = reference(text);
    Atlas atlas(spec, side, mean, tokens + 2);
    if (prompt > 0) {
        atlas.add_rows(text, expected, prompt);
        check_cells("prompt", text, expected, atlas);
        atlas.observed.columnSum.assign(atlas.observed.columnSum.size(), 0); // by attention_columns.cu
    }
    while (atlas.tokens < tokens) {
        atlas.add_row(text, true);
        check_cells("next", text, expected, atlas);
    }
    if (prompt < tokens) {
        std::vector<float> last;
        std::vector<double> map;
        for (int head = 0; head < spec.heads; head++) {
            for (int j = 0; j < tokens; j++) {
                last.push_back(atlas.row[head * atlas.capacity + j]);
                map.push_back(expected.map[(static_cast<int64_t>(head) * tokens + tokens - 1) * tokens + j]);
            }
        }
        check_close(last, map, 3 * score_error(text, expected), 1e-6, "row");
    }
    if (prompt == 0) {
        double error = score_error(text, expected);
        check_rows(tokens, expected, atlas.observed, error, 0);
        check_columns(tokens, expected, atlas.observed, error);
    }
}

/// Rows of attention with and without an atlas are equal, in every type.
template <class T>
void check_row(std::mt19937_64& random, const Spec& spec, int tokens) {
    situation = std::string("rows of ") + NAME<T> + ", " + std::to_string(tokens) + " tokens";
    TextOf<T> text = random_text<T>(random, spec, tokens);
    Attention expected = reference(text);
    Atlas with(spec, 7, 1, tokens + 1);
    Atlas without(spec, 7, 1, tokens + 1);
    while (with.tokens < tokens) {
        with.add_row(text, true);
        without.add_row(text, false);
    }
    CHECK(same_bits(with.row, without.row), "with and without an atlas");
    CHECK(with.observed.same(without.observed), "with and without an atlas");
    CHECK(same_bits(with.sums, without.sums), "with and without an atlas");
    check_close(with.sums, row_sums(with.observed, spec.causal, 0, tokens), 1e-12, 1e-12, "sums of single rows");
    double error = score_error(text, expected);
    check_rows(tokens, expected, with.observed, error, 0);
    check_columns(tokens, expected, with.observed, error);
}

/// Sums of several rows, in one call and in two, and their copies.
void check_sums(std::mt19937_64& random) {
    for (int tokens : {1, 2, 31, 257, 600}) {
        for (int causal : {0, 1}) {
            situation = std::to_string(tokens) + " tokens, causal " + std::to_string(causal);
            Observed observed(3, tokens + 1);
            for (auto* x : observed.all()) {
                *x = random_floats(random, static_cast<int64_t>(x->size()));
            }
            observed.columnSum.assign(observed.columnSum.size(), 0.5);
            std::vector<double> sums(21, NAN);
            for (int end : causal == 1 && tokens > 1 ? std::vector<int>{tokens / 2, tokens} : std::vector<int>{tokens}) {
                int first = end == tokens && causal == 1 && tokens > 1 ? tokens / 2 : 0;
                auto of = observed.all();
                launch("attention_sums_f64", 3, 1, fitting("attention_sums_threads", end - first), sums.data(),
                       of[0]->data(), of[1]->data(), of[2]->data(), of[3]->data(), of[4]->data(), of[5]->data(),
                       NO_TILES, end - first, end, 3, 1, 16, 0.25f, causal, 0, 0.0f, observed.capacity);
            }
            std::vector<double> expected = row_sums(observed, causal == 1, 0, tokens);
            check_close(sums, expected, 1e-9, 1e-12, "sums");
            std::vector<double> copies(24, NAN);
            int threads = constant("attention_snapshot_threads");
            launch("attention_snapshot_sums_f64", 1, 1, threads, copies.data(), sums.data(), observed.columnSum.data(),
                   int64_t{24}, observed.capacity);
            for (int i = 0; i < 24; i++) {
                CHECK(copies[i] == (i % 8 == 7 ? 0.5 : sums[i / 8 * 7 + i % 8]), "copy %d", i);
            }
        }
    }
}

/// The vectors of a head; a missing row leaves its copy alone.
void check_head() {
    for (int tokens : {1, 31, 257, 600}) {
        situation = std::to_string(tokens) + " tokens";
        std::vector<double> columnSum(tokens), columnSumCopy(tokens, NAN);
        std::vector<float> row(tokens), logDiagonal(tokens), rowCopy(tokens, NAN), logDiagonalCopy(tokens, NAN);
        for (int i = 0; i < tokens; i++) {
            columnSum[i] = i + 0.25;
            row[i] = static_cast<float>(i) + 0.5f;
            logDiagonal[i] = static_cast<float>(-i);
        }
        int threads = constant("attention_snapshot_threads");
        float* null = nullptr;
        launch("attention_snapshot_head_f32", pieces(tokens, threads), 1, threads, columnSumCopy.data(), rowCopy.data(),
               logDiagonalCopy.data(), columnSum.data(), null, logDiagonal.data(), tokens);
        CHECK(std::isnan(rowCopy[0]) && std::isnan(rowCopy[tokens - 1]), "a row was written");
        launch("attention_snapshot_head_f32", pieces(tokens, threads), 1, threads, columnSumCopy.data(), rowCopy.data(),
               logDiagonalCopy.data(), columnSum.data(), row.data(), logDiagonal.data(), tokens);
        CHECK(columnSumCopy == columnSum && rowCopy == row && logDiagonalCopy == logDiagonal, "copies differ");
    }
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    const Spec grouped{.heads = 2, .kvHeads = 1, .headDim = 16};
    for (int mean : {0, 1}) {
        for (int side : {1, 3, 8}) {
            for (int prompt : {0, 1, side, 2 * side + 1}) {
                check_atlas(random, grouped, 4 * side + 2, prompt, side, mean);
            }
        }
        for (int tokens : {1, 2, 31, 33, 64, 65, 127, 257}) {
            check_atlas(random, grouped, tokens, tokens, 7, mean);
        }
        check_atlas(random, grouped, 258, 257, 64, mean);
        check_atlas(random, grouped, 258, 256, 256, mean);
        check_atlas(random, {.headDim = 16, .causal = false}, 70, 70, 9, mean);
        check_atlas(random, {.headDim = 16, .window = 5}, 80, 61, 20, mean);
        check_atlas(random, {.headDim = 16, .softCap = 5}, 40, 33, 5, mean);
        check_atlas(random, {.heads = 2, .headDim = 16, .sinks = {1.5f, 40}}, 40, 33, 5, mean);
    }
    check_row<float>(random, grouped, 270);
    check_row<Bf16>(random, {.headDim = 20, .window = 9}, 40);
    check_row<F16>(random, {.headDim = 32, .softCap = 5}, 40);
    check_prompts<Bf16>(random);
    check_prompts<F16>(random);
    check_sums(random);
    check_head();
}
