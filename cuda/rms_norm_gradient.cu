// Gradient of root mean square normalisation with respect to its input.
//
//   destination = (h - n mean(h n)) / r        h = gradient * weight, n = x / r, r = sqrt(mean x^2 + epsilon),
//                                              over each row
//
// In      gradient, x [rows, width], weight [width], fp32
// Out     destination [rows, width], fp32, every element; may be gradient
// Launch  grid x = rows; block min(rms_norm_gradient_threads, width rounded up to 32)
// Cost    12 rows width bytes; later passes over a row hit the cache
// Rounds  fp32, bit-reproducible
// See     Gradients.rmsNorm, test/rows_gradient_test.cpp
#include "block.cuh"

constexpr int THREADS = 256;
EXPORT(rms_norm_gradient_threads, THREADS);

KERNEL(rms_norm_gradient_f32, THREADS, float* destination, const float* gradient, const float* x, const float* weight,
       float epsilon, int width) {
    int64_t row = static_cast<int64_t>(blockIdx.x) * width;
    float squares = 0;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        squares += x[row + column] * x[row + column];
    }
    float inverse = 1 / sqrtf(block_sum(squares) / width + epsilon);
    float along = 0; // component along n, which the gradient does not have
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        along += gradient[row + column] * weight[column] * x[row + column] * inverse;
    }
    float meanAlong = block_sum(along) / width;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        float normal = x[row + column] * inverse;
        destination[row + column] = (gradient[row + column] * weight[column] - normal * meanAlong) * inverse;
    }
}
