// Activation functions of the feed-forward layer, elementwise or gated. <to> is the destination's type.
//
//   gelu          x Phi(x) = x (1 + erf(x / sqrt 2)) / 2
//   gelu_tanh     x (1 + tanh u) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3)
//   silu          x / (1 + exp(-x))
//   quick_gelu    x / (1 + exp(-1.702 x))
//   clamped_silu  x / (1 + exp(-1.702 x)) with x clamped to at most 7
//   relu          max(x, 0)
//   ..._<to>        destination = f(x)
//   ..._gate_<to>   destination = f(gate) * up; clamped_silu uses up clamped to +-7, plus 1
//
// In      x [count], or gateUp [rows, 2 * width]: the columns of gate, then those of up; fp32
// Out     destination [count], may be x, or [rows, width]; fp32, bf16 or fp16, every element
// Launch  one thread per element: grid x = ceil(count / activation_threads); of a gate one thread per 4 elements of a row:
//         grid x = rows * ceil(width / activation_gate_columns); block activation_threads
// Cost    the bytes of all arguments
// Rounds  expf within 2 ulp, erfcf within 4 ulp; once to the destination's type
// See     Backend.activate, Backend.gate, Activation; test/elementwise_test.cpp
#include "activation.cuh"

constexpr int THREADS = 256;
EXPORT(activation_threads, THREADS);
EXPORT(activation_gate_columns, QUAD * THREADS);

template <class F, class T>
__device__ void activate(T* destination, const float* x, int64_t count) {
    int64_t i = element();
    if (i < count) {
        destination[i] = from_float<T>(F::of(x[i]));
    }
}

template <class F, class T>
__device__ void activate_gate(T* destination, const float* gateUp, int width) {
    GateElements at(width);
    if (at.aligned()) {
        Quad gate = read_quad(gateUp + at.gate());
        Quad up = read_quad(gateUp + at.up());
        Quad product;
        UNROLL
        for (int i = 0; i < QUAD; i++) {
            product.of[i] = F::of(gate.of[i]) * F::up(up.of[i]);
        }
        write_quad(destination + at.product(), product);
        return;
    }
    for (int i = 0; i < at.count; i++) {
        destination[at.product() + i] = from_float<T>(F::of(gateUp[at.gate() + i]) * F::up(gateUp[at.up() + i]));
    }
}

#define ACTIVATION_TO(name, F, to, To) \
    KERNEL(name##_##to, THREADS, To* destination, const float* x, int64_t count) { \
        activate<F>(destination, x, count); \
    } \
    KERNEL(name##_gate_##to, THREADS, To* destination, const float* gateUp, int width) { \
        activate_gate<F>(destination, gateUp, width); \
    }
#define ACTIVATION(name, F) \
    ACTIVATION_TO(name, F, f32, float) ACTIVATION_TO(name, F, bf16, Bf16) ACTIVATION_TO(name, F, f16, F16)

FOR_EACH_ACTIVATION(ACTIVATION)
