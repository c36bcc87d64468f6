// Head metrics and spectra against plain loops in double.
#include "../text_tile.cuh"
#include "check.h"

#include <algorithm>
#include <functional>

namespace {

const int HEADS = 3;
const TextTile* const NO_TILES = nullptr;

struct Vectors {
    int tokens;
    int capacity;
    std::vector<float> logDiagonal, entropy, maximum, previous, distance;
    std::vector<double> columnSum;
};

Vectors random_vectors(std::mt19937_64& random, int tokens) {
    int capacity = tokens + 2;
    Vectors x{tokens, capacity, {}, {}, {}, {}, {}, {}};
    std::uniform_real_distribution<float> uniform(0, 1);
    for (int i = 0; i < HEADS * capacity; i++) {
        // elements beyond the tokens must not affect a result
        bool beyond = i % capacity >= tokens;
        auto next = [&](float size) { return beyond ? NAN : size * uniform(random); };
        x.logDiagonal.push_back(next(-9));
        x.entropy.push_back(next(7));
        x.maximum.push_back(next(1));
        x.previous.push_back(next(1));
        x.distance.push_back(next(100));
        x.columnSum.push_back(next(static_cast<float>(tokens)));
    }
    if (tokens > 4) {
        x.logDiagonal[3] = x.logDiagonal[1]; // a tie
    }
    return x;
}

void check_fold(const Vectors& x, const char* metric, bool causal, int first,
                const std::function<double(int, int)>& of) {
    std::vector<double> actual(HEADS, -1);
    std::string kernel = metric + std::string("_f64");
    launch(kernel.c_str(), HEADS, 1, fitting("head_fold_threads", x.tokens), actual.data(), x.logDiagonal.data(),
           x.columnSum.data(), x.entropy.data(), x.maximum.data(), x.previous.data(), x.distance.data(), NO_TILES,
           x.tokens, static_cast<int>(causal), x.capacity);
    std::vector<double> expected(HEADS);
    for (int head = 0; head < HEADS; head++) {
        double sum = 0;
        for (int i = first; i < x.tokens; i++) {
            sum += of(head * x.capacity + i, i);
        }
        expected[head] = sum / (x.tokens - first);
    }
    check_close(actual, expected, 1e-13, 1e-13, metric);
}

void check_folds(const Vectors& x) {
    check_fold(x, "attention_score", true, 0, [&](int at, int) { return x.logDiagonal[at]; });
    check_fold(x, "entropy", true, 0, [&](int at, int) { return x.entropy[at]; });
    check_fold(x, "normalised_entropy", true, 1, [&](int at, int i) { return x.entropy[at] / std::log(i + 1.0); });
    check_fold(x, "normalised_entropy", false, x.tokens > 1 ? 0 : 1,
               [&](int at, int) { return x.entropy[at] / std::log(static_cast<double>(x.tokens)); });
    check_fold(x, "sink_share", true, 0, [&](int at, int i) { return i == 0 ? x.columnSum[at] : 0; });
    check_fold(x, "mean_distance", true, 0, [&](int at, int) { return x.distance[at]; });
    check_fold(x, "previous_token", true, 1, [&](int at, int) { return x.previous[at]; });
    check_fold(x, "self_attention", true, 0,
               [&](int at, int) { return std::exp(static_cast<double>(x.logDiagonal[at])); });
    check_fold(x, "confidence", true, 0, [&](int at, int) { return x.maximum[at]; });
}

void check_spectrum(const Vectors& x, const char* kernel, int largest, bool laplacian) {
    int kept = std::min(largest, x.tokens);
    std::vector<double> actual(HEADS * kept, NAN);
    std::vector<double> workspace(HEADS * x.tokens, NAN);
    launch(kernel, HEADS, 1, fitting("laplacian_spectrum_threads", x.tokens), actual.data(), workspace.data(),
           x.logDiagonal.data(), x.columnSum.data(), NO_TILES, x.tokens, kept, x.capacity, x.tokens);
    std::vector<double> expected;
    for (int head = 0; head < HEADS; head++) {
        std::vector<double> values;
        for (int i = 0; i < x.tokens; i++) {
            int at = head * x.capacity + i;
            double diagonal = std::exp(static_cast<double>(x.logDiagonal[at]));
            values.push_back(laplacian ? x.columnSum[at] / (x.tokens - i) - diagonal : diagonal);
        }
        std::sort(values.rbegin(), values.rend());
        expected.insert(expected.end(), values.begin(), values.begin() + kept);
    }
    check_close(actual, expected, 1e-15, 1e-14, kernel);
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    for (int tokens : SIZES) {
        situation = std::to_string(tokens) + " tokens";
        Vectors x = random_vectors(random, tokens);
        check_folds(x);
        for (int largest : {1, 10, 0x7fffffff}) {
            check_spectrum(x, "laplacian_f64", largest, true);
            check_spectrum(x, "attention_eigenvalues_f64", largest, false);
        }
    }
    situation = "a long text";
    check_spectrum(random_vectors(random, 131072), "laplacian_f64", 0x7fffffff, true);
}
