// Layer normalisation (Ba, Kiros and Hinton 2016).
//
//   layer_norm_<to>   destination = (x - mean) / sqrt(variance + epsilon) * weight + bias        over each row
//
// In      x [rows, width], weight [width], bias [width], fp32
// Out     destination [rows, width], fp32, bf16 or fp16, every element; may be x
// Launch  grid x = rows; block min(layer_norm_threads, ceil(width / layer_norm_thread_columns) rounded up to 32)
// Cost    the bytes of x and destination; rows wider than 8,192, or without aligned quads, are read a second and a third
//         time, from the cache
// Rounds  fp32, then once to the destination's type; bit-reproducible; the variance is computed from centred elements, so a
//         large mean does not cancel
// See     Backend.layerNorm, test/rows_test.cpp
#include "row_moments.cuh"
#include "row_part.cuh"

constexpr int THREADS = 1024;
EXPORT(layer_norm_threads, THREADS);
EXPORT(layer_norm_thread_columns, ROW_PART);

template <class T>
__device__ void layer_norm(T* destination, const float* x, const float* weight, const float* bias, float epsilon, int width) {
    x += static_cast<int64_t>(blockIdx.x) * width;
    destination += static_cast<int64_t>(blockIdx.x) * width;
    if (RowPart::cover(width) && has_quads(destination) && has_quads(x) && has_quads(weight) && has_quads(bias)) {
        RowPart part(x, width);
        RowPart weights(weight, width); // requested before the sums wait for x
        RowPart biases(bias, width);
        float mean = block_sum(part.sum(width, [](float element) { return element; })) / width;
        float squares = block_sum(part.sum(width, [&](float element) { return (element - mean) * (element - mean); }));
        float inverse = inverse_deviation(squares / width, epsilon);
        UNROLL
        for (int i = 0; i < ROW_PART; i++) {
            part[i] = (part[i] - mean) * inverse * weights[i] + biases[i];
        }
        part.write(destination, width);
        return;
    }
    RowMoments moments = row_moments(x, width, epsilon);
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        float normal = (x[column] - moments.mean) * moments.inverse;
        destination[column] = from_float<T>(normal * weight[column] + bias[column]);
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
