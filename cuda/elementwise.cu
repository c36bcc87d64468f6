// Elementwise sums, products and scalings, in place.
//
//   add          x += y
//   add_row      x[i, c] += row[c]
//   scale        x *= factor
//   multiply     x *= y
//   scale_heads  x[i, h, d] *= factors[r, h] for rows i of range r; other rows are unchanged
//   zero         x = 0
//   soft_cap     x = cap * tanh(x / cap)
//
// In      y as x; row [width]; factors [ranges, heads]; fp32; bounds [ranges, 2], int32: first row and end of
//         each range, ascending, without overlap
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

KERNEL(scale_heads_f32, THREADS, float* x, const float* factors, const int* bounds, int64_t count, int ranges,
       int heads, int headDim) {
    int64_t i = element();
    if (i < count) {
        int64_t head = i / headDim;
        int row = static_cast<int>(head / heads);
        int range = 0; // the last one that begins at the row or before it
        for (int end = ranges; end - range > 1;) {
            int middle = (range + end) / 2;
            if (bounds[2 * middle] <= row) {
                range = middle;
            } else {
                end = middle;
            }
        }
        if (bounds[2 * range] <= row && row < bounds[2 * range + 1]) {
            x[i] *= factors[static_cast<int64_t>(range) * heads + head % heads];
        }
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
