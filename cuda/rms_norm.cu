// Root mean square normalisation (Zhang and Sennrich 2019) of whole rows or of each head's part.
//
//   destination = x / sqrt(mean of squares + epsilon) * weight        over each row
//
// In      x [rows, width], weight [width], fp32
// Out     destination [rows, width], fp32, every element; may be x
// Launch  grid x = rows; block min(rms_norm_threads, width rounded up to 32)
// Cost    8 rows width bytes; the second pass over a row hits the cache
// Rounds  fp32, bit-reproducible
// See     Backend.rmsNorm, test/rows_test.cpp
#include "block.cuh"

constexpr int THREADS = 256;
EXPORT(rms_norm_threads, THREADS);

KERNEL(rms_norm_f32, THREADS, float* destination, const float* x, const float* weight, float epsilon, int width) {
    int64_t row = static_cast<int64_t>(blockIdx.x) * width;
    float squares = 0;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        squares += x[row + column] * x[row + column];
    }
    float inverse = 1 / sqrtf(block_sum(squares) / width + epsilon);
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        destination[row + column] = x[row + column] * inverse * weight[column];
    }
}
