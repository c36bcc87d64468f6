// Layer normalisation (Ba, Kiros and Hinton 2016).
//
//   destination = (x - mean) / sqrt(variance + epsilon) * weight + bias        over each row
//
// In      x [rows, width], weight [width], bias [width], fp32
// Out     destination [rows, width], fp32, every element; may be x
// Launch  grid x = rows; block min(layer_norm_threads, width rounded up to 32)
// Cost    8 rows width bytes; the second and third pass over a row hit the cache
// Rounds  fp32, bit-reproducible; the variance is computed from centred elements, so a large mean does not cancel
// See     Backend.layerNorm, test/rows_test.cpp
#include "row_moments.cuh"

constexpr int THREADS = 256;
EXPORT(layer_norm_threads, THREADS);

KERNEL(layer_norm_f32, THREADS, float* destination, const float* x, const float* weight, const float* bias,
       float epsilon, int width) {
    int64_t row = static_cast<int64_t>(blockIdx.x) * width;
    RowMoments moments = row_moments(x + row, width, epsilon);
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        destination[row + column] = (x[row + column] - moments.mean) * moments.inverse * weight[column] + bias[column];
    }
}
