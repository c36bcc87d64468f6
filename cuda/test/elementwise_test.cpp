// Kernels that treat every element by itself, against plain loops in double.
#include "activation_reference.h"
#include "check.h"

#include <algorithm>

static const double EPS = 6e-8; // half a unit in the last place of a float near 1

static std::vector<double> map(const std::vector<float>& x, const Function& f) {
    std::vector<double> mapped(x.size());
    std::transform(x.begin(), x.end(), mapped.begin(), f);
    return mapped;
}

static void check_activations(std::mt19937_64& random, int64_t count) {
    int threads = constant("activation_threads");
    for (const Activation& activation : ACTIVATIONS) {
        situation = std::string(activation.name) + " of " + std::to_string(count);
        std::vector<float> x = random_floats(random, count);
        std::vector<float> up = random_floats(random, count);
        // Far below 0 the argument of exp or erfc is large, and an error of it is one of the result.
        std::vector<double> expected = map(x, activation.of);
        std::vector<float> plain = x;
        launch((std::string(activation.name) + "_f32").c_str(), pieces(count, threads), 1, threads, plain.data(),
               count);
        check_close(plain, expected, 1e-6, 16 * EPS, "x");
        std::vector<float> gate = x;
        std::vector<double> ups = map(up, activation.up);
        launch((std::string(activation.name) + "_gate_f32").c_str(), pieces(count, threads), 1, threads, gate.data(),
               up.data(), count);
        for (int64_t i = 0; i < count; i++) {
            double product = expected[i] * ups[i];
            CHECK(std::abs(gate[i] - product) <= 1e-6 * std::abs(ups[i]) + 20 * EPS * std::abs(product),
                  "gate[%ld] is %.9g and not %.9g", i, gate[i], product);
        }
    }
}

static void check_sums(std::mt19937_64& random, int64_t count) {
    situation = "sums of " + std::to_string(count);
    int threads = constant("elementwise_threads");
    int64_t grid = pieces(count, threads);
    std::vector<float> x = random_floats(random, count);
    std::vector<float> y = random_floats(random, count);
    std::vector<float> sum = x;
    launch("add_f32", grid, 1, threads, sum.data(), y.data(), count);
    std::vector<float> scaled = x;
    launch("scale_f32", grid, 1, threads, scaled.data(), 0.3f, count);
    std::vector<float> product = x;
    launch("multiply_f32", grid, 1, threads, product.data(), y.data(), count);
    std::vector<float> none = x;
    launch("zero_f32", grid, 1, threads, none.data(), count);
    std::vector<float> copy(count, NAN);
    int converting = constant("convert_threads");
    launch("convert_f32_f32", pieces(count, converting), 1, converting, copy.data(), x.data(), count);
    for (int64_t i = 0; i < count; i++) {
        CHECK(sum[i] == x[i] + y[i] && scaled[i] == x[i] * 0.3f && product[i] == x[i] * y[i] && none[i] == 0 &&
                  copy[i] == x[i],
              "element %ld", i);
    }
    std::vector<float> capped = x;
    launch("soft_cap_f32", grid, 1, threads, capped.data(), 5.0f, count);
    check_close(capped, map(x, [](double v) { return 5 * std::tanh(v / 5); }), 0, 8 * EPS, "soft_cap");
    for (int width : {1, 3, 64}) {
        std::vector<float> rows = random_floats(random, count * width);
        std::vector<float> row = random_floats(random, width);
        std::vector<float> added = rows;
        launch("add_row_f32", pieces(count * width, threads), 1, threads, added.data(), row.data(), count * width,
               width);
        for (int64_t i = 0; i < count * width; i++) {
            CHECK(added[i] == rows[i] + row[i % width], "element %ld of width %d", i, width);
        }
        int heads = 3;
        std::vector<float> outputs = random_floats(random, count * heads * width);
        std::vector<float> factors = {0, -1.5f, 0.3f};
        std::vector<float> gated = outputs;
        int64_t elements = count * heads * width;
        launch("scale_heads_f32", pieces(elements, threads), 1, threads, gated.data(), factors.data(), elements, heads,
               width);
        for (int64_t i = 0; i < elements; i++) {
            CHECK(gated[i] == outputs[i] * factors[i / width % heads], "element %ld of heads of width %d", i, width);
        }
    }
}

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    for (int count : SIZES) {
        check_activations(random, count);
        check_sums(random, count);
    }
}
