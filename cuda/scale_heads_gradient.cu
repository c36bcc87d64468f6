// Gradient with respect to factors on heads.
//
//   destination[h] = sum over i and d of gradient[i, h, d] * x[i, h, d]
//
// In      gradient, x [rows, heads * headDim], fp32
// Out     destination [heads], fp32, every element
// Launch  grid x = heads; block scale_heads_gradient_threads
// Cost    8 rows headDim bytes per head
// Rounds  fp64, because terms of both signs cancel; bit-reproducible
// See     Gradients.scaleHeads, test/rows_gradient_test.cpp
#include "block.cuh"

constexpr int THREADS = 512;
EXPORT(scale_heads_gradient_threads, THREADS);

KERNEL(scale_heads_gradient_f32, THREADS, float* destination, const float* gradient, const float* x, int rows,
       int headDim) {
    int64_t stride = static_cast<int64_t>(gridDim.x) * headDim;
    int64_t count = static_cast<int64_t>(rows) * headDim;
    double sum = 0;
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        int64_t at = i / headDim * stride + static_cast<int64_t>(blockIdx.x) * headDim + i % headDim;
        sum += static_cast<double>(gradient[at]) * x[at];
    }
    double total = block_sum(sum);
    if (threadIdx.x == 0) {
        destination[blockIdx.x] = static_cast<float>(total);
    }
}
