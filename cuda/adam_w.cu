// One step of AdamW (Loshchilov and Hutter 2019), in place.
//
//   m = beta1 m + (1 - beta1) gradient        v = beta2 v + (1 - beta2) gradient^2
//   parameter -= rate (decay parameter + (m / start1) / (sqrt(v / start2) + epsilon))
//
// In      gradient [count], fp32; start1 = 1 - beta1^step, start2 = 1 - beta2^step
// Out     parameter, m, v [count], fp32, every element
// Launch  one thread per element: grid x = ceil(count / adam_w_threads), block adam_w_threads
// Cost    28 bytes per element
// Rounds  fp32, one rounding per operation
// See     Gradients.adamW, test/elementwise_gradient_test.cpp
#include "kernel.cuh"

constexpr int THREADS = 256;
EXPORT(adam_w_threads, THREADS);

KERNEL(adam_w_f32, THREADS, float* parameter, const float* gradient, float* m, float* v, float rate, float beta1,
       float beta2, float epsilon, float decay, float start1, float start2, int64_t count) {
    int64_t i = element();
    if (i >= count) {
        return;
    }
    m[i] = beta1 * m[i] + (1 - beta1) * gradient[i];
    v[i] = beta2 * v[i] + (1 - beta2) * gradient[i] * gradient[i];
    float step = m[i] / start1 / (sqrtf(v[i] / start2) + epsilon);
    parameter[i] -= rate * (decay * parameter[i] + step);
}
