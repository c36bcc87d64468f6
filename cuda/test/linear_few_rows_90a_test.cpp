// linear_few_rows_90a.cu against sums in double.
#include "check.h"
#include "tensor_maps.h"

static const double EPS = 6e-8; // half an ulp of a float near 1

static std::string type_name(Bf16) {
    return "bf16";
}

static std::string type_name(F16) {
    return "f16";
}

template <class T>
static std::vector<T> rounded(std::mt19937_64& random, int64_t count) {
    std::vector<T> values;
    for (float value : random_floats(random, count)) {
        values.push_back(from_float<T>(value));
    }
    return values;
}

/// One product.
template <class T>
struct Case {
    int rows, in, out;
    std::vector<T> x, weight;
    std::vector<float> bias; // or none

    Case(std::mt19937_64& random, int rows, int in, int out, bool withBias)
        : rows(rows), in(in), out(out), x(rounded<T>(random, static_cast<int64_t>(rows) * in)),
          weight(rounded<T>(random, static_cast<int64_t>(out) * in)), bias(random_floats(random, withBias ? out : 0)) {}

    const float* bias_or_null() const {
        return bias.empty() ? nullptr : bias.data();
    }

    void run(float* destination, int adds) {
        std::string kernel = "linear_few_rows_90a_" + type_name(T());
        situation = kernel + ": " + std::to_string(rows) + " x " + std::to_string(in) + " -> " + std::to_string(out);
        int tile = constant("linear_few_rows_90a_tile");
        headscope_earlier(x.data(), x.size() * sizeof(T));
        headscope_earlier(destination, sizeof(float) * rows * out);
        launch(kernel.c_str(), pieces(out, tile) * constant("linear_few_rows_90a_blocks"), 1,
               {constant("linear_few_rows_90a_threads"), constant("linear_few_rows_90a_shared")}, destination,
               map_of_rows(x.data(), rows, in, constant("linear_few_rows_90a_rows")),
               map_of_rows(weight.data(), out, in, tile), bias_or_null(), rows, in, out, adds);
    }

    void check(std::mt19937_64& random) {
        std::vector<float> destination(static_cast<int64_t>(rows) * out, NAN);
        run(destination.data(), 0);
        std::vector<float> before = random_floats(random, static_cast<int64_t>(rows) * out);
        std::vector<float> added = before;
        run(added.data(), 1);
        for (int64_t i = 0; i < static_cast<int64_t>(rows) * out; i++) {
            CHECK(added[i] == before[i] + destination[i], "added to element %ld", i);
            double sum = bias.empty() ? 0 : bias[i % out];
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
};

template <class T>
static void check(std::mt19937_64& random, int rows, int in, int out, bool withBias) {
    Case<T>(random, rows, in, out, withBias).check(random);
}

template <class T>
static void check_sizes(std::mt19937_64& random) {
    for (int in : {8, 72, 520}) {
        check<T>(random, 17, in, 1, true);
        check<T>(random, 64, in, 129, false);
    }
    for (int out : {128, 300}) {
        check<T>(random, 1, 144, out, false);
        check<T>(random, 9, 144, out, true);
        check<T>(random, 63, 144, out, true);
    }
}

int main() {
    std::mt19937_64 random(SEED);
    for (std::uint64_t order : {std::uint64_t{0}, SEED}) {
        headscope_shuffle(order);
        check_sizes<Bf16>(random);
        check_sizes<F16>(random);
    }
}
