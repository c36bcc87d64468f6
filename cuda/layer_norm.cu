// Layer normalisation (Ba, Kiros and Hinton 2016).
//
//   layer_norm_<to>   destination = (x - mean) / sqrt(variance + epsilon) * weight + bias        over each row
//
// In      x [rows, width], weight [width], bias [width], fp32
// Out     destination [rows, width], fp32, bf16 or fp16, every element; may be x
// Launch  grid x = rows; block min(layer_norm_threads, width rounded up to 32)
// Cost    the bytes of x and destination; the second and third pass over a row hit the cache
// Rounds  fp32, then once to the destination's type; bit-reproducible; the variance is computed from centred elements, so a
//         large mean does not cancel
// See     Backend.layerNorm, test/rows_test.cpp
#include "row_moments.cuh"
#include "tensor_core.cuh"

constexpr int THREADS = 256;
EXPORT(layer_norm_threads, THREADS);

template <class T>
__device__ void layer_norm(T* destination, const float* x, const float* weight, const float* bias, float epsilon, int width) {
    int64_t row = static_cast<int64_t>(blockIdx.x) * width;
    RowMoments moments = row_moments(x + row, width, epsilon);
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        float normal = (x[row + column] - moments.mean) * moments.inverse;
        destination[row + column] = from_float<T>(normal * weight[column] + bias[column]);
    }
}

#define LAYER_NORM(to, To) \
    KERNEL(layer_norm_##to, THREADS, To* destination, const float* x, const float* weight, const float* bias, \
           float epsilon, int width) { \
        layer_norm(destination, x, weight, bias, epsilon, width); \
    }

LAYER_NORM(f32, float)
LAYER_NORM(bf16, Bf16)
LAYER_NORM(f16, F16)
