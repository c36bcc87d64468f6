// Embedding lookup.
//
//   destination[i, c] = table[ids[i], c]
//
// In      table [words, width], fp32, bf16 or fp16; ids [tokens], int, each in 0 .. words - 1
// Out     destination [tokens, width], fp32, every element
// Launch  grid x = tokens; block min(embed_threads, width rounded up to 32)
// Cost    8 tokens width bytes, 6 if the table is 16-bit
// Rounds  exact
// See     Backend.embed, test/rows_test.cpp
#include "tensor_core.cuh"

constexpr int THREADS = 256;
EXPORT(embed_threads, THREADS);

#define EMBED(NAME, T) \
    KERNEL(embed_##NAME, THREADS, float* destination, const T* table, const int* ids, int width) { \
        float* to = destination + static_cast<int64_t>(blockIdx.x) * width; \
        const T* from = table + static_cast<int64_t>(ids[blockIdx.x]) * width; \
        for (int column = threadIdx.x; column < width; column += blockDim.x) { \
            to[column] = to_float(from[column]); \
        } \
    }

EMBED(f32, float)
EMBED(bf16, Bf16)
EMBED(f16, F16)
