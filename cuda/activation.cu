// Activation functions of the feed-forward layer, elementwise or gated, in place.
//
//   gelu          x Phi(x) = x (1 + erf(x / sqrt 2)) / 2
//   gelu_tanh     x (1 + tanh u) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3)
//   silu          x / (1 + exp(-x))
//   quick_gelu    x / (1 + exp(-1.702 x))
//   clamped_silu  x / (1 + exp(-1.702 x)) with x clamped to at most 7
//   relu          max(x, 0)
//   ..._gate      gate = f(gate) * up; clamped_silu uses up clamped to +-7, plus 1
//
// In      up [count], fp32; not changed
// Out     x or gate [count], fp32, every element
// Launch  one thread per element: grid x = ceil(count / activation_threads), block activation_threads
// Cost    8 bytes per element, 12 for a gate
// Rounds  expf within 2 ulp, erfcf within 4 ulp
// See     Backend.activate, Backend.gate, Activation; test/elementwise_test.cpp
#include "activation.cuh"

constexpr int THREADS = 256;
EXPORT(activation_threads, THREADS);

template <class F>
__device__ void activate(float* x, int64_t count) {
    int64_t i = element();
    if (i < count) {
        x[i] = F::of(x[i]);
    }
}

template <class F>
__device__ void activate_gate(float* gate, const float* up, int64_t count) {
    int64_t i = element();
    if (i < count) {
        gate[i] = F::of(gate[i]) * F::up(up[i]);
    }
}

#define ACTIVATION(name, F) \
    KERNEL(name##_f32, THREADS, float* x, int64_t count) { \
        activate<F>(x, count); \
    } \
    KERNEL(name##_gate_f32, THREADS, float* gate, const float* up, int64_t count) { \
        activate_gate<F>(gate, up, count); \
    }

FOR_EACH_ACTIVATION(ACTIVATION)
