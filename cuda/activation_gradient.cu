// Gradient of the activation functions.
//
//   ..._gradient       gradient *= f'(x)
//   ..._gate_gradient  gateGradient = gradient f'(gate) u(up)        upGradient = gradient f(gate) u'(up)
//
// with f as in activation.cu and u(up) the other factor of the gate: up itself, except in clamped_silu. The gradient is
// 0 beyond a clamp and where relu is 0; it is not 0 at a clamp.
//
// In      x, gradient, gate, up [count], fp32
// Out     gradient, or gateGradient and upGradient, every element; either may be the same buffer as gradient
// Launch  one thread per element: grid x = ceil(count / activation_gradient_threads), block activation_gradient_threads
// Cost    12 bytes per element, 20 for a gate
// Rounds  expf within 2 ulp, erfcf within 4 ulp
// See     Gradients.activate, Gradients.gate; test/elementwise_gradient_test.cpp
#include "activation.cuh"

constexpr int THREADS = 256;
EXPORT(activation_gradient_threads, THREADS);

template <class F>
__device__ void activation_gradient(float* gradient, const float* x, int64_t count) {
    int64_t i = element();
    if (i < count) {
        gradient[i] *= F::slope(x[i]);
    }
}

template <class F>
__device__ void gate_gradient(float* gateGradient, float* upGradient, const float* gradient, const float* gate,
                              const float* up, int64_t count) {
    int64_t i = element();
    if (i < count) {
        float g = gradient[i];
        gateGradient[i] = g * F::slope(gate[i]) * F::up(up[i]);
        upGradient[i] = g * F::of(gate[i]) * F::upSlope(up[i]);
    }
}

#define ACTIVATION_GRADIENT(name, F) \
    KERNEL(name##_gradient_f32, THREADS, float* gradient, const float* x, int64_t count) { \
        activation_gradient<F>(gradient, x, count); \
    } \
    KERNEL(name##_gate_gradient_f32, THREADS, float* gateGradient, float* upGradient, const float* gradient, \
           const float* gate, const float* up, int64_t count) { \
        gate_gradient<F>(gateGradient, upGradient, gradient, gate, up, count); \
    }

FOR_EACH_ACTIVATION(ACTIVATION_GRADIENT)
