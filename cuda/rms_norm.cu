// Root mean square normalisation (Zhang and Sennrich 2019) of whole rows or of each head's part.
//
//   rms_norm_<to>   destination = x / sqrt(mean of squares + epsilon) * weight        over each row
//
// In      x [rows, width], weight [width], fp32
// Out     destination [rows, width], fp32, bf16 or fp16, every element; may be x
// Launch  grid x = rows; block min(rms_norm_threads, ceil(width / rms_norm_thread_columns) rounded up to 32)
// Cost    the bytes of x and destination; rows wider than 8,192, or without aligned quads, are read a second time, from the
//         cache
// Rounds  fp32, then once to the destination's type; bit-reproducible
// See     Backend.rmsNorm, test/rows_test.cpp
#include "block.cuh"
#include "row_part.cuh"

constexpr int THREADS = 1024;
EXPORT(rms_norm_threads, THREADS);
EXPORT(rms_norm_thread_columns, ROW_PART);

template <class T>
__device__ void rms_norm(T* destination, const float* x, const float* weight, float epsilon, int width) {
    x += static_cast<int64_t>(blockIdx.x) * width;
    destination += static_cast<int64_t>(blockIdx.x) * width;
    auto inverse = [&](float squares) { return 1 / sqrtf(block_sum(squares) / width + epsilon); };
    if (RowPart::cover(width) && has_quads(destination) && has_quads(x) && has_quads(weight)) {
        RowPart part(x, width);
        RowPart weights(weight, width); // requested before the sum waits for x
        float factor = inverse(part.sum(width, [](float element) { return element * element; }));
        UNROLL
        for (int i = 0; i < ROW_PART; i++) {
            part[i] = part[i] * factor * weights[i];
        }
        part.write(destination, width);
        return;
    }
    float squares = 0;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        squares += x[column] * x[column];
    }
    float factor = inverse(squares);
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        destination[column] = from_float<T>(x[column] * factor * weight[column]);
    }
}

#define RMS_NORM(to, To) \
    KERNEL(rms_norm_##to, THREADS, To* destination, const float* x, const float* weight, float epsilon, int width) { \
        rms_norm(destination, x, weight, epsilon, width); \
    }

RMS_NORM(f32, float)
RMS_NORM(bf16, Bf16)
RMS_NORM(f16, F16)
