// Rows of a table.
//
//   destination[i, c] = table[ids[i], c]
//
// In      table [words, width], fp32; ids [tokens], int, each in 0 .. words - 1
// Out     destination [tokens, width], fp32, every element
// Launch  grid x = tokens; block min(embed_threads, width rounded up to 32)
// Cost    8 tokens width bytes
// Rounds  nothing
// See     Backend.embed, test/rows_test.cpp
#include "kernel.cuh"

constexpr int THREADS = 256;
EXPORT(embed_threads, THREADS);

KERNEL(embed_f32, THREADS, float* destination, const float* table, const int* ids, int width) {
    float* to = destination + static_cast<int64_t>(blockIdx.x) * width;
    const float* from = table + static_cast<int64_t>(ids[blockIdx.x]) * width;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        to[column] = from[column];
    }
}
