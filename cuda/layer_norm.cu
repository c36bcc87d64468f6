// Layer normalisation (Ba, Kiros and Hinton 2016).
//
//   destination = (x - mean) / sqrt(variance + epsilon) * weight + bias        over each row
//
// In      x [rows, width], weight [width], bias [width], fp32
// Out     destination [rows, width], fp32, every element; may be x
// Launch  grid x = rows; block min(layer_norm_threads, width rounded up to 32)
// Cost    8 rows width bytes; the second and third walk over a row come from the cache
// Rounds  fp32; the variance is that of centred elements, so a large mean loses nothing; same bits each time
// See     Backend.layerNorm, test/rows_test.cpp
#include "block.cuh"

constexpr int THREADS = 256;
EXPORT(layer_norm_threads, THREADS);

KERNEL(layer_norm_f32, THREADS, float* destination, const float* x, const float* weight, const float* bias,
       float epsilon, int width) {
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
    // rsqrtf is off by up to two units in the last place, a quotient of correctly rounded steps by one.
    float inverse = 1 / sqrtf(block_sum(squares) / width + epsilon);
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        destination[row + column] = (x[row + column] - mean) * inverse * weight[column] + bias[column];
    }
}
