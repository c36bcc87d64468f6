// Row kernels against plain loops in double.
#include "check.h"

#include <algorithm>
#include <numeric>
#include <sys/mman.h>

namespace {

const double EPS = 6e-8; // half an ulp of a float near 1

void check_embed(std::mt19937_64& random, int width) {
    std::vector<float> table = random_floats(random, 7 * width);
    std::vector<int> ids = {6, 0, 3, 3};
    std::vector<float> destination(ids.size() * width, NAN);
    launch("embed_f32", ids.size(), 1, fitting("embed_threads", width), destination.data(), table.data(), ids.data(),
           width);
    for (std::size_t i = 0; i < destination.size(); i++) {
        CHECK(destination[i] == table[ids[i / width] * width + i % width], "element %zu", i);
    }
}

void check_gather_rows(std::mt19937_64& random, int width) {
    std::vector<float> pool = random_floats(random, 7 * width);
    std::vector<int> places = {5, 0, 2};
    std::vector<float> rows(places.size() * width, NAN);
    launch("gather_rows_f32", places.size(), 1, fitting("gather_rows_threads", width), rows.data(), pool.data(),
           places.data(), width);
    for (std::size_t i = 0; i < rows.size(); i++) {
        CHECK(rows[i] == pool[places[i / width] * width + i % width], "element %zu", i);
    }
}

/// A row whose offset exceeds 32 bits, in a table whose memory is reserved but not filled.
void check_far_row() {
    const int width = 1 << 16;
    const int words = 40000;
    std::size_t bytes = static_cast<std::size_t>(words) * width * sizeof(float);
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED, "%zu bytes of addresses", bytes);
    float* table = static_cast<float*>(memory);
    int id = words - 1;
    table[static_cast<int64_t>(id) * width + 7] = 3;
    std::vector<float> destination(width, NAN);
    launch("embed_f32", 1, 1, fitting("embed_threads", width), destination.data(), table, &id, width);
    CHECK(destination[7] == 3 && destination[8] == 0, "%g and %g", destination[7], destination[8]);
    munmap(memory, bytes);
}

/// A family's 16-bit results are its fp32 results, rounded, if both destinations begin `first` elements behind an aligned quad.
/// launch_one(kernel, destination, x) launches one of its kernels.
template <class Launch>
void check_rounded(const std::string& family, const std::vector<float>& x, int first, Launch launch_one) {
    std::vector<float> wide(first + x.size(), 1);
    launch_one((family + "_f32").c_str(), wide.data() + first, x.data());
    for (const char* type : {"bf16", "f16"}) {
        std::vector<uint16_t> narrow(wide.size());
        launch_one((family + "_" + type).c_str(), narrow.data() + first, x.data());
        std::vector<uint16_t> rounded(wide.size());
        auto count = static_cast<int64_t>(wide.size());
        launch((std::string("convert_") + type + "_f32").c_str(), pieces(count, constant("convert_elements")), 1,
               constant("convert_threads"), rounded.data(), wide.data(), count);
        std::fill_n(rounded.begin(), first, static_cast<uint16_t>(0));
        CHECK(narrow == rounded, "%s of %zu elements in %s, from element %d", family.c_str(), x.size(), type, first);
    }
}

/// Block size of a kernel whose threads hold some columns of a row each.
int holding(const std::string& family, int width) {
    int64_t threads = pieces(width, constant((family + "_thread_columns").c_str()));
    return fitting((family + "_threads").c_str(), static_cast<int>(threads));
}

void check_norms(std::mt19937_64& random, int rows, int width) {
    std::vector<float> x = random_floats(random, rows * width);
    std::vector<float> weight = random_floats(random, width);
    std::vector<float> bias = random_floats(random, width);
    float offset = 100; // a variance from uncentred squares would cancel
    std::transform(x.begin(), x.end(), x.begin(), [&](float value) { return value + offset; });
    std::vector<double> layer(x.size());
    std::vector<double> rms(x.size());
    std::vector<double> slope(rows); // 1 / deviation
    double epsilon = 1e-5f;
    for (int row = 0; row < rows; row++) {
        const float* in = x.data() + row * width;
        double mean = std::accumulate(in, in + width, 0.0) / width;
        double variance = 0;
        double square = 0;
        for (int c = 0; c < width; c++) {
            variance += (in[c] - mean) * (in[c] - mean) / width;
            square += static_cast<double>(in[c]) * in[c] / width;
        }
        slope[row] = 1 / std::sqrt(variance + epsilon);
        for (int c = 0; c < width; c++) {
            layer[row * width + c] = (in[c] - mean) * slope[row] * weight[c] + bias[c];
            rms[row * width + c] = in[c] / std::sqrt(square + epsilon) * weight[c];
        }
    }
    auto launch_rms = [&](const char* kernel, auto* destination, const float* from, const float* weights) {
        launch(kernel, rows, 1, holding("rms_norm", width), destination, from, weights, static_cast<float>(epsilon), width);
    };
    auto launch_layer = [&](const char* kernel, auto* destination, const float* from, const float* weights,
                            const float* biases) {
        launch(kernel, rows, 1, holding("layer_norm", width), destination, from, weights, biases,
               static_cast<float>(epsilon), width);
    };
    auto check_rms = [&](const float* actual) {
        check_close(std::vector<float>(actual, actual + rms.size()), rms, 1e-12, 16 * EPS, "rms_norm");
    };
    auto check_rms_of = [&](const float* from, const float* weights) {
        std::vector<float> actual(x.size(), NAN);
        launch_rms("rms_norm_f32", actual.data(), from, weights);
        check_rms(actual.data());
    };
    auto check_layer_of = [&](const float* from, const float* weights, const float* biases) {
        std::vector<float> actual(x.size(), NAN);
        launch_layer("layer_norm_f32", actual.data(), from, weights, biases);
        for (std::size_t i = 0; i < actual.size(); i++) {
            // the mean has a few roundings of its magnitude; centred elements are divided by the deviation
            double error = 8 * EPS * 2 * offset * slope[i / width] * std::abs(weight[i % width]);
            CHECK(std::abs(actual[i] - layer[i]) <= error + 32 * EPS * (std::abs(layer[i]) + std::abs(bias[i % width])),
                  "layer_norm[%zu] is %.9g and not %.9g", i, actual[i], layer[i]);
        }
    };
    for (int first : {0, 1}) {
        check_rounded("rms_norm", x, first, [&](const char* kernel, auto* destination, const float* from) {
            launch_rms(kernel, destination, from, weight.data());
        });
        check_rounded("layer_norm", x, first, [&](const char* kernel, auto* destination, const float* from) {
            launch_layer(kernel, destination, from, weight.data(), bias.data());
        });
    }
    check_rms_of(x.data(), weight.data());
    check_rms_of(Displaced(x, 1).data(), weight.data());
    check_rms_of(x.data(), Displaced(weight, 1).data());
    check_layer_of(x.data(), weight.data(), bias.data());
    check_layer_of(Displaced(x, 1).data(), weight.data(), bias.data());
    check_layer_of(x.data(), Displaced(weight, 1).data(), bias.data());
    check_layer_of(x.data(), weight.data(), Displaced(bias, 1).data());
    Displaced place(x, 1);
    launch_rms("rms_norm_f32", place.data(), place.data(), weight.data());
    check_rms(place.data());
    launch_rms("rms_norm_f32", x.data(), x.data(), weight.data());
    check_rms(x.data());
}

void check_route(std::mt19937_64& random, int tokens, int experts, int chosen) {
    std::vector<float> logits = random_floats(random, tokens * experts);
    logits[0] = logits[experts - 1]; // a tie
    std::vector<double> expected(logits.size(), 0);
    for (int token = 0; token < tokens; token++) {
        const float* row = logits.data() + token * experts;
        std::vector<int> order(experts);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return row[a] > row[b]; });
        double total = 0;
        for (int n = 0; n < chosen; n++) {
            total += std::exp(static_cast<double>(row[order[n]]) - row[order[0]]);
        }
        for (int n = 0; n < chosen; n++) {
            expected[token * experts + order[n]] = std::exp(static_cast<double>(row[order[n]]) - row[order[0]]) / total;
        }
    }
    launch("route_f32", tokens, 1, fitting("route_threads", experts), logits.data(), chosen, experts);
    // logits differ by up to 200, and the rounding of that is an error of the argument of exp
    check_close(logits, expected, 1e-37, 256 * EPS, "route");
    int width = 5;
    std::vector<float> x = random_floats(random, tokens * width);
    std::vector<float> y = random_floats(random, tokens * width);
    std::vector<float> sum = x;
    int threads = constant("route_threads");
    launch("add_share_f32", pieces(tokens * width, threads), 1, threads, sum.data(), y.data(), logits.data(),
           experts - 1, static_cast<int64_t>(tokens) * width, width, experts);
    for (int i = 0; i < tokens * width; i++) {
        CHECK(sum[i] == x[i] + logits[i / width * experts + experts - 1] * y[i], "add_share, element %d", i);
    }
}

void check_linear(std::mt19937_64& random, int tokens, int in, int out, bool withBias) {
    std::vector<float> x = random_floats(random, static_cast<int64_t>(tokens) * in);
    std::vector<float> weight = random_floats(random, static_cast<int64_t>(out) * in);
    std::vector<float> bias = random_floats(random, out);
    std::vector<float> destination(static_cast<int64_t>(tokens) * out, NAN);
    launch("linear_f32", pieces(tokens, constant("linear_row_tile")), pieces(out, constant("linear_column_tile")),
           constant("linear_threads"), destination.data(), x.data(), weight.data(), withBias ? bias.data() : nullptr,
           tokens, in, out, 0);
    std::vector<float> added = random_floats(random, static_cast<int64_t>(tokens) * out);
    std::vector<float> before = added;
    launch("linear_f32", pieces(tokens, constant("linear_row_tile")), pieces(out, constant("linear_column_tile")),
           constant("linear_threads"), added.data(), x.data(), weight.data(), withBias ? bias.data() : nullptr, tokens, in,
           out, 1);
    for (int64_t i = 0; i < static_cast<int64_t>(tokens) * out; i++) {
        CHECK(added[i] == before[i] + destination[i], "added to element %ld", i);
        double sum = withBias ? bias[i % out] : 0;
        double size = std::abs(sum);
        for (int d = 0; d < in; d++) {
            double product = static_cast<double>(x[i / out * in + d]) * weight[i % out * in + d];
            sum += product;
            size += std::abs(product);
        }
        // every partial sum is rounded
        CHECK(std::abs(destination[i] - sum) <= EPS * (in + 1) * size, "linear[%ld] is %.9g and not %.9g", i,
              destination[i], sum);
    }
}

} // namespace

/// Rows begin `skipped` words past an aligned quad. Each has one value, except at the places of its largest logits.
void check_argmax(std::mt19937_64& random, int words, int skipped) {
    situation = std::to_string(words) + " words, " + std::to_string(skipped) + " past a quad";
    const int rows = 9;
    std::vector<float> values(skipped + rows * words, NAN);
    std::vector<int> expected(rows), predicted(rows, -1);
    for (int row = 0; row < rows; row++) {
        float* of_row = values.data() + skipped + row * words;
        float below = row % 3 == 0 ? -INFINITY : row % 3 == 1 ? -1 : -1e30f;
        std::fill_n(of_row, words, below);
        for (int ties = row == 0 ? 0 : row / 3 * 2 + 1; ties > 0; ties--) { // row 0 is -INFINITY
            of_row[std::uniform_int_distribution<>(0, words - 1)(random)] = ties % 2 == 0 ? 0 : -0.0f;
        }
        expected[row] = static_cast<int>(std::max_element(of_row, of_row + words) - of_row);
    }
    launch("argmax_f32", rows, 1, fitting("sample_threads", words), predicted.data(), values.data() + skipped, words);
    CHECK(predicted == expected, "not the first of the largest logits");
}

/// The drawn word is the one whose interval of the cumulative weights contains the mark.
void check_sample(std::mt19937_64& random, int words, double temperature, double topP) {
    const int rows = 3;
    std::vector<float> logits = random_floats(random, rows * words, 2);
    for (int word = 0; word < words; word++) {
        logits[words + word] = static_cast<float>(static_cast<int>(logits[words + word])); // ties, 0 and -0
    }
    std::vector<double> marks(rows);
    std::uniform_real_distribution<double> uniform;
    std::generate(marks.begin(), marks.end(), [&] { return uniform(random); });
    std::vector<int> predicted(rows, -1);
    std::vector<int> drawn(rows, -1);
    launch("argmax_f32", rows, 1, fitting("sample_threads", words), predicted.data(), logits.data(), words);
    launch("draw_f32", rows, 1, fitting("sample_threads", words), drawn.data(), logits.data(), marks.data(),
           temperature, topP, words);
    for (int row = 0; row < rows; row++) {
        const float* of_row = logits.data() + row * words;
        std::vector<int> sorted(words);
        std::iota(sorted.begin(), sorted.end(), 0);
        std::stable_sort(sorted.begin(), sorted.end(), [&](int a, int b) { return of_row[a] > of_row[b]; });
        CHECK(predicted[row] == sorted[0], "row %d: %d and not %d", row, predicted[row], sorted[0]);
        auto weight = [&](int word) { return std::exp((of_row[word] - of_row[sorted[0]]) / temperature); };
        double total = 0;
        for (int word : sorted) {
            total += weight(word);
        }
        double kept = 0;
        for (int i = 0; i < words && kept < topP * total; i++) {
            kept += weight(sorted[i]);
        }
        double before = 0;
        int at = 0;
        for (; sorted[at] != drawn[row] && at < words - 1; at++) {
            before += weight(sorted[at]);
        }
        double place = marks[row] * kept;
        double slack = 1e-12 * total;
        CHECK(before <= place + slack && place <= before + weight(drawn[row]) + slack,
              "row %d: word %d is from %g on, %g long, and the mark is at %g of %g", row, drawn[row], before,
              weight(drawn[row]), place, kept);
    }
}

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    situation = "a far row";
    check_far_row();
    for (int size : SIZES) {
        situation = "size " + std::to_string(size);
        check_embed(random, size);
        check_gather_rows(random, size);
        check_norms(random, 3, size);
        check_route(random, 3, size, std::min(size, 4));
        check_route(random, 2, size, size);
        for (int skipped : {0, 1, 2, 3}) {
            check_argmax(random, size, skipped);
        }
        situation = "size " + std::to_string(size);
        check_sample(random, size, 1, 1);
        check_sample(random, size, 0.3, 0.7);
        if (size <= 257) {
            check_linear(random, size, 33, 65, true);
            check_linear(random, 3, size, 2, false);
            check_linear(random, 2, 16, size, true);
        }
    }
    for (int words : {3, 5, 16384, 16387, 33001}) {
        check_argmax(random, words, 1);
    }
    int most = constant("rms_norm_threads") * constant("rms_norm_thread_columns");
    for (int width : {3, 4, 8, 12, 2048, 2052, 4100, most - 4, most, most + 1, most + 4, 3 * most}) {
        situation = "norms of width " + std::to_string(width);
        check_norms(random, 2, width);
    }
}
