// Gradients of a matrix product, for machines without cuBLAS and for the emulator.
//
//   linear_gradient         destination = gradient weight
//   linear_weight_gradient  destination = gradient' x
//   linear_bias_gradient    destination = sum of the rows of gradient
//
// In      gradient [rows, out], x [rows, in], weight [out, in], fp32; linear_gradient also bf16 or fp16
// Out     destination [rows, in], [out, in], [out], fp32, every element
// Launch  linear_gradient: grid x = ceil(rows / linear_gradient_tile), y = ceil(in / linear_gradient_tile);
//         linear_weight_gradient: x = ceil(out / linear_gradient_tile), y = ceil(in / linear_gradient_tile);
//         linear_bias_gradient: one thread per column, x = ceil(out / linear_gradient_threads);
//         block linear_gradient_threads
// Cost    2 rows in out operations; each tile of one operand is read once per tile of the other; bias: 4 rows out bytes
// Rounds  fp32, sums in index order, bit-reproducible
// See     Gradients.linear, linearWeight, linearBias; test/rows_gradient_test.cpp
#include "product.cuh"

EXPORT(linear_gradient_threads, THREADS);
EXPORT(linear_gradient_tile, TILE);

#define LINEAR_GRADIENT(NAME, T) \
    KERNEL(linear_gradient_##NAME, THREADS, float* destination, const T* gradient, const T* weight, int rows, int in, \
           int out) { \
        product(destination, Rows<T>{gradient, rows, out}, Columns<T>{weight, in, out}, nullptr, false); \
    }

LINEAR_GRADIENT(f32, float)
LINEAR_GRADIENT(bf16, Bf16)
LINEAR_GRADIENT(f16, F16)

KERNEL(linear_weight_gradient_f32, THREADS, float* destination, const float* gradient, const float* x, int rows, int in,
       int out) {
    product(destination, Columns<float>{gradient, out, rows}, Columns<float>{x, in, rows}, nullptr, false);
}

KERNEL(linear_bias_gradient_f32, THREADS, float* destination, const float* gradient, int rows, int out) {
    int64_t column = element();
    if (column >= out) {
        return;
    }
    float sum = 0;
    for (int row = 0; row < rows; row++) {
        sum += gradient[static_cast<int64_t>(row) * out + column];
    }
    destination[column] = sum;
}
