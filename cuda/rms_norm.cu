// Root mean square normalisation (Zhang and Sennrich 2019) of whole rows or of each head's part.
//
//   rms_norm_<to>   destination = x / sqrt(mean of squares + epsilon) * weight        over each row
//
// In      x [rows, width], weight [width], fp32
// Out     destination [rows, width], fp32, bf16 or fp16, every element; may be x
// Launch  grid x = rows; block min(rms_norm_threads, width rounded up to 32)
// Cost    the bytes of x and destination; the second pass over a row hits the cache
// Rounds  fp32, then once to the destination's type; bit-reproducible
// See     Backend.rmsNorm, test/rows_test.cpp
#include "block.cuh"
#include "tensor_core.cuh"

constexpr int THREADS = 256;
EXPORT(rms_norm_threads, THREADS);

template <class T>
__device__ void rms_norm(T* destination, const float* x, const float* weight, float epsilon, int width) {
    int64_t row = static_cast<int64_t>(blockIdx.x) * width;
    float squares = 0;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        squares += x[row + column] * x[row + column];
    }
    float inverse = 1 / sqrtf(block_sum(squares) / width + epsilon);
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        destination[row + column] = from_float<T>(x[row + column] * inverse * weight[column]);
    }
}

#define RMS_NORM(to, To) \
    KERNEL(rms_norm_##to, THREADS, To* destination, const float* x, const float* weight, float epsilon, int width) { \
        rms_norm(destination, x, weight, epsilon, width); \
    }

RMS_NORM(f32, float)
RMS_NORM(bf16, Bf16)
RMS_NORM(f16, F16)
