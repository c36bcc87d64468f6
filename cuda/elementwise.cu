// Elementwise sums, products and scalings, in place.
//
//   add          x += y
//   add_row      x[i, c] += row[c]
//   scale        x *= factor
//   multiply     x *= y
//   scale_heads  x[i, h, d] *= factors[h]
//   zero         x = 0
//   soft_cap     x = cap * tanh(x / cap)
//
// In      y as x; row [width]; factors [heads]; fp32
// Out     x [count], fp32, every element
// Launch  one thread per element: grid x = ceil(count / elementwise_threads), block elementwise_threads
// Cost    12 bytes per element for add and multiply, 4 for zero, 8 otherwise
// Rounds  once per operation; tanhf within 2 ulp
// See     Backend.add, addRow, scale, multiply, scaleHeads, softCap; test/elementwise_test.cpp
#include "kernel.cuh"

constexpr int THREADS = 256;
EXPORT(elementwise_threads, THREADS);

KERNEL(add_f32, THREADS, float* x, const float* y, int64_t count) {
    int64_t i = element();
    if (i < count) {
        x[i] += y[i];
    }
}

KERNEL(add_row_f32, THREADS, float* x, const float* row, int64_t count, int width) {
    int64_t i = element();
    if (i < count) {
        x[i] += row[i % width];
    }
}

KERNEL(scale_f32, THREADS, float* x, float factor, int64_t count) {
    int64_t i = element();
    if (i < count) {
        x[i] *= factor;
    }
}

KERNEL(multiply_f32, THREADS, float* x, const float* y, int64_t count) {
    int64_t i = element();
    if (i < count) {
        x[i] *= y[i];
    }
}

KERNEL(scale_heads_f32, THREADS, float* x, const float* factors, int64_t count, int heads, int headDim) {
    int64_t i = element();
    if (i < count) {
        x[i] *= factors[i / headDim % heads];
    }
}

KERNEL(zero_f32, THREADS, float* x, int64_t count) {
    int64_t i = element();
    if (i < count) {
        x[i] = 0;
    }
}

KERNEL(soft_cap_f32, THREADS, float* x, float cap, int64_t count) {
    int64_t i = element();
    if (i < count) {
        x[i] = cap * tanhf(x[i] / cap);
    }
}
