// Products of a few rows with 16-bit weights against sums in double.
#include "../tensor_core.cuh"
#include "check.h"

static const double EPS = 6e-8; // half an ulp of a float near 1

template <class T>
static std::vector<T> rounded(std::mt19937_64& random, int64_t count) {
    std::vector<T> values;
    for (float value : random_floats(random, count)) {
        values.push_back(from_float<T>(value));
    }
    return values;
}

template <class T>
static void check(const std::string& type, std::mt19937_64& random, int most, int rows, int in, int out, bool withBias) {
    std::string kernel = "linear_few_rows_" + type + "_r" + std::to_string(most);
    situation = kernel + ": " + std::to_string(rows) + " x " + std::to_string(in) + " -> " + std::to_string(out);
    std::vector<T> x = rounded<T>(random, static_cast<int64_t>(rows) * in);
    std::vector<T> weight = rounded<T>(random, static_cast<int64_t>(out) * in);
    std::vector<float> bias = random_floats(random, out);
    auto run = [&](std::vector<float>& destination, int adds) {
        launch(kernel.c_str(), pieces(out, constant("linear_few_rows_tile")), 1, constant("linear_few_rows_threads"),
               destination.data(), x.data(), weight.data(), withBias ? bias.data() : nullptr, rows, in, out, adds);
    };
    std::vector<float> destination(static_cast<int64_t>(rows) * out, NAN);
    run(destination, 0);
    std::vector<float> before = random_floats(random, static_cast<int64_t>(rows) * out);
    std::vector<float> added = before;
    run(added, 1);
    for (int64_t i = 0; i < static_cast<int64_t>(rows) * out; i++) {
        CHECK(added[i] == before[i] + destination[i], "added to element %ld", i);
        double sum = withBias ? bias[i % out] : 0;
        double size = std::abs(sum);
        for (int d = 0; d < in; d++) {
            double product = static_cast<double>(to_float(x[i / out * in + d])) * to_float(weight[i % out * in + d]);
            sum += product;
            size += std::abs(product);
        }
        // every partial sum is rounded
        CHECK(std::abs(destination[i] - sum) <= EPS * (in + 1) * size, "element %ld is %.9g and not %.9g", i,
              destination[i], sum);
    }
}

template <class T>
static void check_sizes(const std::string& type, std::mt19937_64& random) {
    for (int in : {32, 64, 96, 256, 288, 768, 1056, 2304}) {
        check<T>(type, random, 8, 1, in, 1, true);
        check<T>(type, random, 8, 8, in, 33, false);
        check<T>(type, random, 16, 9, in, 15, true);
        check<T>(type, random, 16, 16, in, 32, false);
    }
    for (int out : {2, 16, 17, 32, 65, 200}) {
        for (int rows : {1, 2, 7, 8}) {
            check<T>(type, random, 8, rows, 96, out, rows % 2 == 0);
            check<T>(type, random, 16, rows + 8, 96, out, rows % 2 == 1);
        }
    }
}

int main() {
    std::mt19937_64 random(SEED);
    for (std::uint64_t order : {std::uint64_t{0}, SEED}) {
        headscope_shuffle(order);
        check_sizes<Bf16>("bf16", random);
        check_sizes<F16>("f16", random);
    }
}
