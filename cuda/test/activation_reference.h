// Activations, their derivatives and gates, in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

using Function = std::function<double(double)>;

struct Activation {
    const char* name;
    Function of;
    Function slope;
    Function up;
    Function upSlope;
};

inline double identity(double x) {
    return x;
}

inline double one(double) {
    return 1;
}

inline double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

inline const std::vector<Activation> ACTIVATIONS = {
    {"gelu", [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2)); },
     [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2)) + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI); },
     identity, one},
    {"gelu_tanh",
     [](double x) {
         double u = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
         return x / (1 + std::exp(-2 * u));
     },
     [](double x) {
         double u = std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
         double uSlope = std::sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
         return sigmoid(2 * u) + x * sigmoid(2 * u) * sigmoid(-2 * u) * 2 * uSlope;
     },
     identity, one},
    {"silu", [](double x) { return x * sigmoid(x); },
     [](double x) { return sigmoid(x) + x * sigmoid(x) * sigmoid(-x); }, identity, one},
    {"quick_gelu", [](double x) { return x * sigmoid(1.702 * x); },
     [](double x) { return sigmoid(1.702 * x) + 1.702 * x * sigmoid(1.702 * x) * sigmoid(-1.702 * x); }, identity, one},
    {"clamped_silu",
     [](double x) {
         x = std::min(x, 7.0);
         return x * sigmoid(1.702 * x);
     },
     [](double x) { return x > 7 ? 0 : sigmoid(1.702 * x) + 1.702 * x * sigmoid(1.702 * x) * sigmoid(-1.702 * x); },
     [](double up) { return std::clamp(up, -7.0, 7.0) + 1; }, [](double up) { return std::abs(up) > 7 ? 0.0 : 1.0; }},
    {"relu", [](double x) { return std::max(x, 0.0); }, [](double x) { return x > 0 ? 1.0 : 0.0; }, identity, one},
};
