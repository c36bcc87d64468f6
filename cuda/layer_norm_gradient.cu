// What layer normalisation passes back to what was normalised.
//
//   destination = (h - mean h - n mean(h n)) / deviation        h = gradient * weight, n = (x - mean x) / deviation,
//                                                               deviation = sqrt(variance x + epsilon), over each row
//
// In      gradient, x [rows, width], weight [width], fp32
// Out     destination [rows, width], fp32, every element; may be gradient
// Launch  grid x = rows; block min(layer_norm_gradient_threads, width rounded up to 32)
// Cost    12 rows width bytes; the later walks over a row come from the cache
// Rounds  fp32; the variance is that of centred elements; same bits each time
// See     Gradients.layerNorm, test/rows_gradient_test.cpp
#include "block.cuh"

constexpr int THREADS = 256;
EXPORT(layer_norm_gradient_threads, THREADS);

KERNEL(layer_norm_gradient_f32, THREADS, float* destination, const float* gradient, const float* x,
       const float* weight, float epsilon, int width) {
    int64_t row = static_cast<int64_t>(blockIdx.x) * width;
    float sum = 0;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        sum += x[row + column];
    }
    float mean = block_sum(sum) / width;
    float squares = 0;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        float centred = x[row + column] - mean;
        squares += centred * centred;
    }
    float inverse = 1 / sqrtf(block_sum(squares) / width + epsilon);
    float passed = 0;
    float along = 0; // the direction of n, in which nothing passes
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        float weighted = gradient[row + column] * weight[column];
        passed += weighted;
        along += weighted * (x[row + column] - mean) * inverse;
    }
    float meanPassed = block_sum(passed) / width;
    float meanAlong = block_sum(along) / width;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        float normal = (x[row + column] - mean) * inverse;
        destination[row + column] =
            (gradient[row + column] * weight[column] - meanPassed - normal * meanAlong) * inverse;
    }
}
