// Gradient of layer normalisation with respect to its input.
//
//   destination = (h - mean h - n mean(h n)) / deviation        h = gradient * weight, n = (x - mean x) / deviation,
//                                                               deviation = sqrt(variance x + epsilon), over each row
//
// In      gradient, x [rows, width], weight [width], fp32
// Out     destination [rows, width], fp32, every element; may be gradient
// Launch  grid x = rows; block min(layer_norm_gradient_threads, width rounded up to 32)
// Cost    12 rows width bytes; later passes over a row hit the cache
// Rounds  fp32, bit-reproducible; the variance is computed from centred elements
// See     Gradients.layerNorm, test/rows_gradient_test.cpp
#include "row_moments.cuh"

constexpr int THREADS = 256;
EXPORT(layer_norm_gradient_threads, THREADS);

KERNEL(layer_norm_gradient_f32, THREADS, float* destination, const float* gradient, const float* x, const float* weight,
       float epsilon, int width) {
    int64_t row = static_cast<int64_t>(blockIdx.x) * width;
    RowMoments moments = row_moments(x + row, width, epsilon);
    float sum = 0;
    float along = 0; // component along n, which the gradient does not have
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        float weighted = gradient[row + column] * weight[column];
        sum += weighted;
        along += weighted * (x[row + column] - moments.mean) * moments.inverse;
    }
    float mean = block_sum(sum) / width;
    float meanAlong = block_sum(along) / width;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        float normal = (x[row + column] - moments.mean) * moments.inverse;
        destination[row + column] =
            (gradient[row + column] * weight[column] - mean - normal * meanAlong) * moments.inverse;
    }
}
