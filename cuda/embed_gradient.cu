// Gradient of the embedding lookup: scatters rows into a table that zero_f32 has cleared.
//
//   destination[ids[i], c] = gradient[i, c]
//
// In      gradient [rows, width], fp32; ids [rows], int, all different
// Out     the rows ids[i] of destination [.., width], fp32
// Launch  grid x = rows; block min(embed_gradient_threads, width rounded up to 32)
// Cost    8 rows width bytes
// Rounds  exact
// See     Gradients.embed, test/rows_gradient_test.cpp
#include "kernel.cuh"

constexpr int THREADS = 256;
EXPORT(embed_gradient_threads, THREADS);

KERNEL(embed_gradient_f32, THREADS, float* destination, const float* gradient, const int* ids, int width) {
    float* to = destination + static_cast<int64_t>(ids[blockIdx.x]) * width;
    const float* from = gradient + static_cast<int64_t>(blockIdx.x) * width;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        to[column] = from[column];
    }
}
