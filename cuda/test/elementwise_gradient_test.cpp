// Gradients of elementwise kernels against formulas in double.
#include "activation_reference.h"
#include "check.h"

static const double EPS = 6e-8; // half an ulp of a float near 1

/// The derivative formulas against finite differences.
static void check_slopes() {
    const double h = 1e-5;
    for (const Activation& f : ACTIVATIONS) {
        situation = f.name;
        for (double x : {-20.0, -7.5, -6.5, -3.0, -1.0, -0.1, 0.1, 1.0, 3.0, 6.5, 7.5, 20.0}) {
            double difference = (f.of(x + h) - f.of(x - h)) / (2 * h);
            double upDifference = (f.up(x + h) - f.up(x - h)) / (2 * h);
            CHECK(std::abs(f.slope(x) - difference) < 1e-8, "slope %g and %g at %g", f.slope(x), difference, x);
            CHECK(std::abs(f.upSlope(x) - upDifference) < 1e-8, "slope of up %g at %g", f.upSlope(x), x);
        }
    }
}

/// Values far from 0, at clamps and at kinks, in every fourth element.
static void set_ends(std::vector<float>& values, std::size_t first) {
    const float ends[] = {0, -0.0f, 7, -7, 80, -80, 1000, -1000, 1e10f, -1e10f};
    for (std::size_t i = 0; i < std::size(ends) && first + 4 * i < values.size(); i++) {
        values[first + 4 * i] = ends[i];
    }
}

static void check_activations(std::mt19937_64& random, int64_t count) {
    int threads = constant("activation_gradient_threads");
    for (const Activation& f : ACTIVATIONS) {
        situation = std::string(f.name) + " of " + std::to_string(count);
        std::vector<float> x = random_floats(random, count);
        set_ends(x, 0);
        std::vector<float> gradient = random_floats(random, count);
        std::vector<float> plain = gradient;
        launch((std::string(f.name) + "_gradient_f32").c_str(), pieces(count, threads), 1, threads, plain.data(), x.data(),
               count);
        for (int64_t i = 0; i < count; i++) {
            double expected = gradient[i] * f.slope(x[i]);
            CHECK(std::abs(plain[i] - expected) <= 2e-6 * std::abs(gradient[i]), "gradient[%ld] at %g is %.9g and not %.9g",
                  i, x[i], plain[i], expected);
        }
    }
}

static void check_gates(std::mt19937_64& random, int rows, int width) {
    int threads = constant("activation_gradient_threads");
    for (const Activation& f : ACTIVATIONS) {
        situation = std::string(f.name) + " gate of " + std::to_string(rows) + " x " + std::to_string(width);
        std::vector<float> gateUp = random_floats(random, static_cast<int64_t>(rows) * 2 * width);
        set_ends(gateUp, 0);
        set_ends(gateUp, width + 2);
        std::vector<float> gradient = random_floats(random, static_cast<int64_t>(rows) * width);
        std::vector<float> passed(gateUp.size(), NAN);
        std::string kernel = std::string(f.name) + "_gate_gradient_f32";
        int64_t grid = rows * pieces(width, constant("activation_gradient_gate_columns"));
        launch(kernel.c_str(), grid, 1, threads, passed.data(), gradient.data(), gateUp.data(), width);
        std::vector<float> place = gateUp;
        launch(kernel.c_str(), grid, 1, threads, place.data(), gradient.data(), place.data(), width);
        CHECK(same_bits(place, passed), "in place and not");
        for (int64_t i = 0; i < static_cast<int64_t>(gradient.size()); i++) {
            int64_t at = i / width * 2 * width + i % width;
            double g = gradient[i];
            double gate = gateUp[at];
            double up = gateUp[at + width];
            // derivatives are sums of terms of about 2; the exponential adds the rounding of its argument
            double error = 2e-6 * std::abs(g);
            double ofGate = g * f.slope(gate) * f.up(up);
            CHECK(std::abs(passed[at] - ofGate) <= error * std::abs(f.up(up)) + 1e-30, "gate[%ld] at %g is %.9g and not %.9g",
                  i, gate, passed[at], ofGate);
            double ofUp = g * f.of(gate) * f.upSlope(up);
            CHECK(std::abs(passed[at + width] - ofUp) <= 0.5 * error + 20 * EPS * std::abs(ofUp),
                  "up[%ld] at %g is %.9g and not %.9g", i, up, passed[at + width], ofUp);
        }
    }
}

static void check_soft_cap(std::mt19937_64& random, int64_t count) {
    situation = "soft cap of " + std::to_string(count);
    const float cap = 5;
    int threads = constant("soft_cap_gradient_threads");
    std::vector<float> x = random_floats(random, count, 4);
    std::vector<float> capped(count);
    for (int64_t i = 0; i < count; i++) {
        capped[i] = cap * std::tanh(x[i] / cap);
    }
    std::vector<float> gradient = random_floats(random, count);
    std::vector<float> passed = gradient;
    launch("soft_cap_gradient_f32", pieces(count, threads), 1, threads, passed.data(), capped.data(), cap, count);
    for (int64_t i = 0; i < count; i++) {
        double expected = gradient[i] * (1 - std::pow(static_cast<double>(capped[i]) / cap, 2));
        CHECK(std::abs(passed[i] - expected) <= 8 * EPS * std::abs(gradient[i]), "gradient[%ld] is %.9g and not %.9g",
              i, passed[i], expected);
    }
}

static void check_adam_w(std::mt19937_64& random, int64_t count, int step) {
    situation = "step " + std::to_string(step) + " of AdamW on " + std::to_string(count);
    const float rate = 0.01f, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f, decay = 0.1f;
    double start1 = 1 - std::pow(static_cast<double>(beta1), step);
    double start2 = 1 - std::pow(static_cast<double>(beta2), step);
    int threads = constant("adam_w_threads");
    std::vector<float> parameter = random_floats(random, count);
    std::vector<float> gradient = random_floats(random, count);
    std::vector<float> m = step == 1 ? std::vector<float>(count) : random_floats(random, count, 0.1f);
    std::vector<float> v = step == 1 ? std::vector<float>(count) : random_floats(random, count, 0.1f);
    for (float& square : v) {
        square *= square;
    }
    gradient[count / 2] = 0;
    std::vector<float> newParameter = parameter, newM = m, newV = v;
    launch("adam_w_f32", pieces(count, threads), 1, threads, newParameter.data(), gradient.data(), newM.data(),
           newV.data(), rate, beta1, beta2, epsilon, decay, static_cast<float>(start1), static_cast<float>(start2),
           count);
    for (int64_t i = 0; i < count; i++) {
        double g = gradient[i];
        double mean = static_cast<double>(beta1) * m[i] + (1 - static_cast<double>(beta1)) * g;
        double square = static_cast<double>(beta2) * v[i] + (1 - static_cast<double>(beta2)) * g * g;
        double root = std::sqrt(square / start2) + epsilon;
        double change = decay * static_cast<double>(parameter[i]) + mean / start1 / root;
        double meanError = 4 * EPS * (std::abs(m[i]) + std::abs(g));
        CHECK(std::abs(newM[i] - mean) <= meanError, "m[%ld] is %.9g and not %.9g", i, newM[i], mean);
        CHECK(std::abs(newV[i] - square) <= 8 * EPS * square, "v[%ld] is %.9g and not %.9g", i, newV[i], square);
        double error = rate * (meanError / start1 / root + 24 * EPS * std::abs(mean) / start1 / root) +
                       4 * EPS * (std::abs(parameter[i]) + rate * std::abs(change));
        double expected = parameter[i] - rate * change;
        CHECK(std::abs(newParameter[i] - expected) <= error, "parameter[%ld] is %.9g and not %.9g", i, newParameter[i],
              expected);
    }
}

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    check_slopes();
    for (int count : SIZES) {
        check_activations(random, count);
        check_gates(random, 3, count);
        check_soft_cap(random, count);
        check_adam_w(random, count, 1);
        check_adam_w(random, count, 500);
    }
}
