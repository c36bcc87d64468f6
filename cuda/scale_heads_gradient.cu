// Gradient with respect to factors on heads, for ranges of rows.
//
//   destination[r, h] = sum over rows i of range r and d of gradient[i, h, d] * x[i, h, d]
//
// In      gradient, x [rows, heads * headDim], fp32; bounds [ranges, 2], int32: first row and end of each range
// Out     destination [ranges, heads], fp32, every element; 0 for an empty range
// Launch  grid x = ranges * heads; block scale_heads_gradient_threads
// Cost    8 headDim bytes per head and row of the range
// Rounds  fp64, because terms of both signs cancel; bit-reproducible, and independent of the other ranges
// See     Gradients.scaleHeads, test/rows_gradient_test.cpp
#include "block.cuh"

constexpr int THREADS = 512;
EXPORT(scale_heads_gradient_threads, THREADS);

KERNEL(scale_heads_gradient_f32, THREADS, float* destination, const float* gradient, const float* x,
       const int* bounds, int heads, int headDim) {
    int range = blockIdx.x / heads;
    int head = blockIdx.x % heads;
    int64_t stride = static_cast<int64_t>(heads) * headDim;
    int64_t first = bounds[2 * range] * stride + static_cast<int64_t>(head) * headDim;
    int64_t count = static_cast<int64_t>(bounds[2 * range + 1] - bounds[2 * range]) * headDim;
    double sum = 0;
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
        int64_t at = first + i / headDim * stride + i % headDim;
        sum += static_cast<double>(gradient[at]) * x[at];
    }
    double total = block_sum(sum);
    if (threadIdx.x == 0) {
        destination[blockIdx.x] = static_cast<float>(total);
    }
}
