// Elementwise kernels against plain loops in double.
#include "activation_reference.h"
#include "check.h"

#include <algorithm>

static const double EPS = 6e-8; // half an ulp of a float near 1

static std::vector<double> map(const std::vector<float>& x, const Function& f) {
    std::vector<double> mapped(x.size());
    std::transform(x.begin(), x.end(), mapped.begin(), f);
    return mapped;
}

/// The elements from `first` on.
template <class T>
static std::vector<T> converted(const std::string& kernel, const auto& source, int64_t first = 0) {
    std::vector<T> destination(source.size(), static_cast<T>(-1));
    int64_t count = static_cast<int64_t>(source.size()) - first;
    launch(kernel.c_str(), pieces(count, constant("convert_elements")), 1, constant("convert_threads"),
           destination.data() + first, source.data() + first, count);
    return destination;
}

static void check_activations(std::mt19937_64& random, int64_t count) {
    int threads = constant("activation_threads");
    for (const Activation& activation : ACTIVATIONS) {
        situation = std::string(activation.name) + " of " + std::to_string(count);
        std::vector<float> x = random_floats(random, count);
        // far below 0 the argument of exp or erfc is large, and its error is a relative error of the result
        std::vector<float> plain = x;
        launch((std::string(activation.name) + "_f32").c_str(), pieces(count, threads), 1, threads, plain.data(),
               plain.data(), count);
        check_close(plain, map(x, activation.of), 1e-6, 16 * EPS, "x");
        for (const std::string type : {"bf16", "f16"}) {
            std::vector<uint16_t> narrow(x.size());
            launch((std::string(activation.name) + "_" + type).c_str(), pieces(count, threads), 1, threads, narrow.data(),
                   x.data(), count);
            CHECK(narrow == converted<uint16_t>("convert_" + type + "_f32", plain), "x in %s", type.c_str());
        }
    }
}

static void check_gates(std::mt19937_64& random, int rows, int width) {
    int threads = constant("activation_threads");
    int64_t grid = rows * pieces(width, constant("activation_gate_columns"));
    for (const Activation& activation : ACTIVATIONS) {
        std::string kernel = std::string(activation.name) + "_gate_";
        situation = kernel + " of " + std::to_string(rows) + " x " + std::to_string(width);
        std::vector<float> gateUp = random_floats(random, static_cast<int64_t>(rows) * 2 * width);
        std::vector<float> product(static_cast<std::size_t>(rows) * width, NAN);
        launch((kernel + "f32").c_str(), grid, 1, threads, product.data(), gateUp.data(), width);
        for (const std::string type : {"bf16", "f16"}) {
            std::vector<uint16_t> narrow(product.size());
            launch((kernel + type).c_str(), grid, 1, threads, narrow.data(), gateUp.data(), width);
            CHECK(narrow == converted<uint16_t>("convert_" + type + "_f32", product), "in %s", type.c_str());
        }
        for (int64_t i = 0; i < static_cast<int64_t>(product.size()); i++) {
            const float* gate = gateUp.data() + i / width * 2 * width + i % width;
            double up = activation.up(gate[width]);
            double expected = activation.of(gate[0]) * up;
            CHECK(std::abs(product[i] - expected) <= 1e-6 * std::abs(up) + 20 * EPS * std::abs(expected),
                  "element %ld is %.9g and not %.9g", i, product[i], expected);
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
    for (int64_t i = 0; i < count; i++) {
        CHECK(sum[i] == x[i] + y[i] && scaled[i] == x[i] * 0.3f && product[i] == x[i] * y[i] && none[i] == 0,
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
        std::vector<float> factors = {0, -1.5f, 0.3f, 2, 3, 4, 0.7f, -1, 5};
        int rowCount = static_cast<int>(count);
        std::vector<int> bounds = {0, rowCount / 3, rowCount / 2, rowCount / 2, rowCount / 2, rowCount};
        std::vector<float> gated = outputs;
        int64_t elements = count * heads * width;
        launch("scale_heads_f32", pieces(elements, threads), 1, threads, gated.data(), factors.data(), bounds.data(),
               elements, 3, heads, width);
        for (int64_t i = 0; i < elements; i++) {
            int64_t inRow = i / (heads * width);
            int64_t range = inRow < count / 3 ? 0 : inRow < count / 2 ? -1 : 2;
            float factor = range < 0 ? 1 : factors[range * heads + i / width % heads];
            CHECK(gated[i] == outputs[i] * factor, "element %ld of heads of width %d", i, width);
        }
    }
}

/// The value of a 16-bit word, from its definition.
static double value(uint16_t word, int mantissa) {
    int exponents = 15 - mantissa;
    int exponent = (word & 0x7fff) >> mantissa;
    double digits = word & ((1 << mantissa) - 1);
    int bias = (1 << (exponents - 1)) - 1;
    double sign = word >> 15 ? -1 : 1;
    if (exponent == (1 << exponents) - 1) {
        return digits == 0 ? sign * INFINITY : NAN;
    }
    return sign * (exponent == 0 ? std::ldexp(digits, 1 - bias - mantissa)
                                 : std::ldexp(digits + (1 << mantissa), exponent - bias - mantissa));
}

/// Every 16-bit value converts exactly; a float between two of them is rounded to nearest, ties to even.
static void check_conversions(const std::string& name, const std::string& other, int mantissa) {
    situation = name;
    std::vector<uint16_t> words(1 << 16);
    for (int i = 0; i < 1 << 16; i++) {
        words[i] = static_cast<uint16_t>(i);
    }
    std::vector<float> read = converted<float>("convert_f32_" + name, words);
    std::vector<float> between;
    std::vector<uint16_t> expected;
    for (int i = 0; i < 1 << 16; i++) {
        double exact = value(words[i], mantissa);
        CHECK(std::isnan(exact) ? std::isnan(read[i])
                                : read[i] == exact && std::signbit(read[i]) == std::signbit(exact),
              "word %x is %g and not %g", i, read[i], exact);
        if (!std::isfinite(exact)) {
            continue;
        }
        double unit = std::abs(exact - value(words[i & 0x7fff ? i - 1 : i + 1], mantissa));
        // the ulp doubles at a power of two
        bool first = (i & ((1 << mantissa) - 1)) == 0 && (i & 0x7fff) >> mantissa > 1;
        float middle = static_cast<float>(exact + std::copysign(first ? unit : unit / 2, exact));
        between.insert(between.end(), {read[i], std::nextafter(middle, 0.0f), middle,
                                       std::nextafter(middle, std::copysign(INFINITY, middle))});
        uint16_t next = static_cast<uint16_t>(i + 1);
        expected.insert(expected.end(), {words[i], words[i], i % 2 == 0 ? words[i] : next, next});
    }
    std::vector<uint16_t> rounded = converted<uint16_t>("convert_" + name + "_f32", between);
    for (std::size_t i = 0; i < rounded.size(); i++) {
        CHECK(rounded[i] == expected[i], "%a becomes %x and not %x", between[i], rounded[i], expected[i]);
    }
    std::vector<uint16_t> none = converted<uint16_t>("convert_" + name + "_f32", std::vector<float>{NAN, -NAN});
    CHECK(std::isnan(value(none[0], mantissa)) && std::isnan(value(none[1], mantissa)), "%x and %x", none[0], none[1]);
    CHECK(converted<uint16_t>("convert_" + name + "_" + name, expected) == expected, "a copy");
    CHECK(same_bits(converted<float>("convert_f32_f32", between), between), "a copy");
    for (int64_t first = 1; first < 5; first++) { // neither of four, nor aligned to four
        std::vector<uint16_t> part = converted<uint16_t>("convert_" + name + "_f32", between, first);
        std::fill_n(rounded.begin(), first, static_cast<uint16_t>(-1));
        CHECK(part == rounded, "from element %ld", static_cast<long>(first));
    }
    CHECK(converted<uint16_t>("convert_" + other + "_" + name, expected) ==
              converted<uint16_t>("convert_" + other + "_f32", converted<float>("convert_f32_" + name, expected)),
          "into %s", other.c_str());
}

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    for (int count : SIZES) {
        check_activations(random, count);
        check_gates(random, 3, count);
        check_sums(random, count);
    }
    check_conversions("f16", "bf16", 10);
    check_conversions("bf16", "f16", 7);
}
