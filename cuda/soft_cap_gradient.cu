// Gradient of the soft cap, in place.
//
//   gradient *= 1 - (capped / cap)^2
//
// In      capped [count], the output of soft_cap, fp32
// Out     gradient [count], fp32, every element
// Launch  one thread per element: grid x = ceil(count / soft_cap_gradient_threads), block soft_cap_gradient_threads
// Cost    12 bytes per element
// Rounds  fp32; the error is absolute: the factor cancels where capped is close to cap
// See     Gradients.softCap, test/elementwise_gradient_test.cpp
#include "kernel.cuh"

constexpr int THREADS = 256;
EXPORT(soft_cap_gradient_threads, THREADS);

KERNEL(soft_cap_gradient_f32, THREADS, float* gradient, const float* capped, float cap, int64_t count) {
    int64_t i = element();
    if (i < count) {
        float tangent = capped[i] / cap;
        gradient[i] *= (1 - tangent) * (1 + tangent);
    }
}
