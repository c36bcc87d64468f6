// Gradients of row kernels against plain loops in double.
#include "check.h"

#include <algorithm>
#include <numeric>

namespace {

const double EPS = 6e-8; // half an ulp of a float near 1

void check_norm(std::mt19937_64& random, int rows, int width, bool centred) {
    std::vector<float> x = random_floats(random, rows * width);
    std::vector<float> weight = random_floats(random, width);
    std::vector<float> gradient = random_floats(random, rows * width);
    float offset = centred ? 10 : 0; // a variance from uncentred squares would cancel
    std::transform(x.begin(), x.end(), x.begin(), [&](float value) { return value + offset; });
    const float epsilon = 1e-5f;
    std::vector<float> passed = gradient; // in place
    const char* kernel = centred ? "layer_norm_gradient_f32" : "rms_norm_gradient_f32";
    const char* threads = centred ? "layer_norm_gradient_threads" : "rms_norm_gradient_threads";
    launch(kernel, rows, 1, fitting(threads, width), passed.data(), passed.data(), x.data(), weight.data(), epsilon,
           width);
    for (int row = 0; row < rows; row++) {
        const float* in = x.data() + row * width;
        double mean = centred ? std::accumulate(in, in + width, 0.0) / width : 0;
        double square = 0;
        for (int c = 0; c < width; c++) {
            square += (in[c] - mean) * (in[c] - mean) / width;
        }
        double deviation = std::sqrt(square + epsilon);
        std::vector<double> h(width), n(width);
        double meanH = 0, along = 0, sizeH = 0, sizeAlong = 0;
        for (int c = 0; c < width; c++) {
            h[c] = static_cast<double>(gradient[row * width + c]) * weight[c];
            n[c] = (in[c] - mean) / deviation;
            meanH += centred ? h[c] / width : 0;
            along += h[c] * n[c] / width;
            sizeH += std::abs(h[c]) / width;
            sizeAlong += std::abs(h[c] * n[c]) / width;
        }
        // the mean has a few roundings of its magnitude, and so have centred elements before the division
        double normalError = 16 * EPS * offset / deviation;
        for (int c = 0; c < width; c++) {
            double expected = (h[c] - meanH - n[c] * along) / deviation;
            double size = std::abs(h[c]) + sizeH + std::abs(n[c]) * sizeAlong;
            double error = EPS * (width + 64) * size + normalError * (sizeAlong + std::abs(n[c]) * sizeH);
            CHECK(std::abs(passed[row * width + c] - expected) <= error / deviation + 1e-30,
                  "%s[%d, %d] is %.9g and not %.9g", kernel, row, c, passed[row * width + c], expected);
        }
    }
}

void check_route(std::mt19937_64& random, int tokens, int experts, int width) {
    std::vector<float> gradient = random_floats(random, tokens * experts);
    std::vector<float> shares = random_floats(random, tokens * experts);
    for (int token = 0; token < tokens; token++) {
        float* row = shares.data() + token * experts;
        double total = 0;
        for (int e = 0; e < experts; e++) {
            row[e] = e % 3 == 1 ? 0 : std::exp(-std::abs(row[e]));
            total += row[e];
        }
        for (int e = 0; e < experts; e++) {
            row[e] = static_cast<float>(row[e] / total);
        }
    }
    std::vector<float> passed = gradient;
    launch("route_gradient_f32", tokens, 1, fitting("route_gradient_threads", experts), passed.data(), shares.data(),
           experts);
    for (int token = 0; token < tokens; token++) {
        double mean = 0, size = 0;
        for (int i = token * experts; i < (token + 1) * experts; i++) {
            mean += static_cast<double>(shares[i]) * gradient[i];
            size += std::abs(static_cast<double>(shares[i]) * gradient[i]);
        }
        for (int i = token * experts; i < (token + 1) * experts; i++) {
            double error = shares[i] * EPS * ((experts + 2) * size + 4 * std::abs(gradient[i]));
            CHECK(std::abs(passed[i] - shares[i] * (gradient[i] - mean)) <= error, "route[%d] is %.9g and not %.9g", i,
                  passed[i], shares[i] * (gradient[i] - mean));
        }
    }

    std::vector<float> out = random_floats(random, tokens * width);
    std::vector<float> y = random_floats(random, tokens * width);
    std::vector<float> yGradient = y; // in place
    std::vector<float> shareGradient(tokens * experts, NAN);
    int column = experts - 1;
    launch("add_share_gradient_f32", tokens, 1, fitting("add_share_gradient_threads", width), yGradient.data(),
           shareGradient.data(), out.data(), yGradient.data(), shares.data(), column, width, experts);
    for (int token = 0; token < tokens; token++) {
        double dot = 0, size = 0;
        for (int i = token * width; i < (token + 1) * width; i++) {
            CHECK(yGradient[i] == shares[token * experts + column] * out[i], "y[%d]", i);
            dot += static_cast<double>(out[i]) * y[i];
            size += std::abs(static_cast<double>(out[i]) * y[i]);
        }
        for (int e = 0; e < experts; e++) {
            float share = shareGradient[token * experts + e];
            CHECK(e == column ? std::abs(share - dot) <= EPS * (width + 1) * size : std::isnan(share),
                  "share[%d, %d] is %.9g and not %.9g", token, e, share, dot);
        }
    }
}

void check_embed(std::mt19937_64& random, int width) {
    std::vector<float> gradient = random_floats(random, 3 * width);
    std::vector<int> ids = {6, 0, 3};
    std::vector<float> table(7 * width, NAN);
    launch("embed_gradient_f32", ids.size(), 1, fitting("embed_gradient_threads", width), table.data(), gradient.data(),
           ids.data(), width);
    for (int i = 0; i < 7 * width; i++) {
        auto row = std::find(ids.begin(), ids.end(), i / width);
        CHECK(row == ids.end() ? std::isnan(table[i]) : table[i] == gradient[(row - ids.begin()) * width + i % width],
              "element %d", i);
    }
}

void check_scale_heads(std::mt19937_64& random, int rows, int heads, int headDim) {
    std::vector<float> gradient = random_floats(random, static_cast<int64_t>(rows) * heads * headDim);
    std::vector<float> x = random_floats(random, static_cast<int64_t>(rows) * heads * headDim);
    // rows of the middle third belong to no range, and one range has no rows
    std::vector<int> bounds = {0, rows / 3, rows / 2, rows / 2, rows / 2, rows};
    std::vector<double> expected(3 * heads, 0);
    for (int range = 0; range < 3; range++) {
        for (int64_t i = static_cast<int64_t>(bounds[2 * range]) * heads * headDim;
             i < static_cast<int64_t>(bounds[2 * range + 1]) * heads * headDim; i++) {
            expected[range * heads + i / headDim % heads] += static_cast<double>(gradient[i]) * x[i];
        }
    }
    std::vector<float> destination(3 * heads, NAN);
    launch("scale_heads_gradient_f32", 3 * heads, 1, constant("scale_heads_gradient_threads"), destination.data(),
           gradient.data(), x.data(), bounds.data(), heads, headDim);
    // fp64 sums of products of floats are almost exact
    check_close(destination, expected, 1e-9, EPS, "scale_heads");
}

/// Checks destination [rows, columns]: sums over depth of a(i, d) b(d, j).
template <class A, class B>
void check_product(const char* kernel, const std::vector<float>& destination, int rows, int columns, int depth, A a,
                   B b) {
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
            double sum = 0, size = 0;
            for (int d = 0; d < depth; d++) {
                double product = static_cast<double>(a(i, d)) * b(d, j);
                sum += product;
                size += std::abs(product);
            }
            // every partial sum is rounded
            CHECK(std::abs(destination[i * columns + j] - sum) <= EPS * (depth + 1) * size,
                  "%s[%d, %d] is %.9g and not %.9g", kernel, i, j, destination[i * columns + j], sum);
        }
    }
}

void check_linear(std::mt19937_64& random, int rows, int in, int out) {
    std::vector<float> gradient = random_floats(random, rows * out);
    std::vector<float> x = random_floats(random, rows * in);
    std::vector<float> weight = random_floats(random, out * in);
    int threads = constant("linear_gradient_threads");
    int tile = constant("linear_gradient_tile");
    auto ofGradient = [&](int row, int o) { return gradient[row * out + o]; };

    std::vector<float> inputs(rows * in, NAN);
    launch("linear_gradient_f32", pieces(rows, tile), pieces(in, tile), threads, inputs.data(), gradient.data(),
           weight.data(), rows, in, out);
    check_product("linear", inputs, rows, in, out, ofGradient, [&](int o, int i) { return weight[o * in + i]; });

    std::vector<float> weights(out * in, NAN);
    launch("linear_weight_gradient_f32", pieces(out, tile), pieces(in, tile), threads, weights.data(), gradient.data(),
           x.data(), rows, in, out);
    check_product(
        "weight", weights, out, in, rows, [&](int o, int row) { return ofGradient(row, o); },
        [&](int row, int i) { return x[row * in + i]; });

    std::vector<float> bias(out, NAN);
    launch("linear_bias_gradient_f32", pieces(out, threads), 1, threads, bias.data(), gradient.data(), rows, out);
    check_product("bias", bias, 1, out, rows, [](int, int) { return 1.0f; }, ofGradient);
}

void check_cross_entropy(std::mt19937_64& random, int rows, int words, float size) {
    std::vector<float> logits = random_floats(random, rows * words, size);
    std::vector<int> targets(rows);
    std::vector<float> factors = random_floats(random, rows);
    for (int row = 0; row < rows; row++) {
        targets[row] = row == 0 ? words - 1 : static_cast<int>(random() % words);
    }
    std::vector<float> passed = logits;
    std::vector<float> loss(rows, NAN);
    launch("cross_entropy_f32", rows, 1, fitting("cross_entropy_threads", words), loss.data(), passed.data(),
           targets.data(), factors.data(), words);
    for (int row = 0; row < rows; row++) {
        const float* in = logits.data() + row * words;
        double largest = *std::max_element(in, in + words);
        double total = 0, range = 0;
        for (int w = 0; w < words; w++) {
            total += std::exp(in[w] - largest);
            range = std::max(range, largest - in[w]);
        }
        double expected = largest + std::log(total) - in[targets[row]];
        // the argument of the exponential is rounded once; sums have `words` terms
        double error = EPS * (words + 8);
        CHECK(std::abs(loss[row] - expected) <= error + 2 * EPS * (range + std::abs(expected)),
              "loss[%d] is %.9g and not %.9g", row, loss[row], expected);
        for (int w = 0; w < words; w++) {
            double p = std::exp(in[w] - largest) / total;
            double gradient = factors[row] * (p - (w == targets[row]));
            double bound = p * (error + EPS * (largest - in[w] + 8)) + 2 * EPS * (w == targets[row]) + 1e-37;
            CHECK(std::abs(passed[row * words + w] - gradient) <= std::abs(factors[row]) * bound,
                  "logits[%d, %d] is %.9g and not %.9g", row, w, passed[row * words + w], gradient);
        }
    }
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    for (int size : SIZES) {
        situation = "size " + std::to_string(size);
        check_norm(random, 3, size, true);
        check_norm(random, 3, size, false);
        check_route(random, 3, size, 5);
        check_route(random, 3, 2, size);
        check_embed(random, size);
        check_scale_heads(random, size, 3, 5);
        check_scale_heads(random, 5, 2, size);
        check_cross_entropy(random, 3, size, 1);
        check_cross_entropy(random, 2, size, 10);
        if (size <= 257) {
            check_linear(random, size, 33, 65);
            check_linear(random, 3, size, 2);
            check_linear(random, 2, 16, size);
        }
    }
}
