// Gradient of the activation functions.
//
//   ..._gradient       gradient *= f'(x)
//   ..._gate_gradient  of gate: gradient f'(gate) u(up)        of up: gradient f(gate) u'(up)
//
// with f as in activation.cu and u(up) the other factor of the gate: up itself, except in clamped_silu. The gradient is
// 0 beyond a clamp and where relu is 0; it is not 0 at a clamp.
//
// In      x, gradient [count], or gradient [rows, width] and gateUp [rows, 2 * width], see activation.cu; fp32
// Out     gradient in place, or gateUpGradient [rows, 2 * width], every element; may be gateUp
// Launch  one thread per element: grid x = ceil(count / activation_gradient_threads); of a gate one thread per 4 elements of a
//         row: grid x = rows * ceil(width / activation_gradient_gate_columns); block activation_gradient_threads
// Cost    12 bytes per element, 20 for a gate
// Rounds  expf within 2 ulp, erfcf within 4 ulp
// See     Gradients.activate, Gradients.gate; test/elementwise_gradient_test.cpp
#include "activation.cuh"

constexpr int THREADS = 256;
EXPORT(activation_gradient_threads, THREADS);
EXPORT(activation_gradient_gate_columns, QUAD * THREADS);

template <class F>
__device__ void activation_gradient(float* gradient, const float* x, int64_t count) {
    int64_t i = element();
    if (i < count) {
        gradient[i] *= F::slope(x[i]);
    }
}

template <class F>
__device__ void gate_gradient(float* gateUpGradient, const float* gradient, const float* gateUp, int width) {
    GateElements at(width);
    if (at.aligned()) {
        Quad g = *reinterpret_cast<const Quad*>(gradient + at.product());
        Quad gate = *reinterpret_cast<const Quad*>(gateUp + at.gate());
        Quad up = *reinterpret_cast<const Quad*>(gateUp + at.up());
        Quad ofGate;
        Quad ofUp;
        UNROLL
        for (int i = 0; i < QUAD; i++) {
            ofGate.of[i] = g.of[i] * F::slope(gate.of[i]) * F::up(up.of[i]);
            ofUp.of[i] = g.of[i] * F::of(gate.of[i]) * F::upSlope(up.of[i]);
        }
        *reinterpret_cast<Quad*>(gateUpGradient + at.gate()) = ofGate;
        *reinterpret_cast<Quad*>(gateUpGradient + at.up()) = ofUp;
        return;
    }
    for (int i = 0; i < at.count; i++) {
        float g = gradient[at.product() + i];
        float gate = gateUp[at.gate() + i];
        float up = gateUp[at.up() + i];
        gateUpGradient[at.gate() + i] = g * F::slope(gate) * F::up(up);
        gateUpGradient[at.up() + i] = g * F::of(gate) * F::upSlope(up);
    }
}

#define ACTIVATION_GRADIENT(name, F) \
    KERNEL(name##_gradient_f32, THREADS, float* gradient, const float* x, int64_t count) { \
        activation_gradient<F>(gradient, x, count); \
    } \
    KERNEL(name##_gate_gradient_f32, THREADS, float* gateUpGradient, const float* gradient, const float* gateUp, \
           int width) { \
        gate_gradient<F>(gateUpGradient, gradient, gateUp, width); \
    }

FOR_EACH_ACTIVATION(ACTIVATION_GRADIENT)
