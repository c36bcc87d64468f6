// Matrix product with a bias, for machines without cuBLAS and for the emulator.
//
//   destination = x weight' + bias, or if adds is 1: destination += x weight' + bias
//
// In      x [tokens, in], weight [out, in], both fp32, bf16 or fp16; bias [out] or null, fp32
// Out     destination [tokens, out], fp32, every element
// Launch  grid x = ceil(tokens / linear_row_tile), y = ceil(out / linear_column_tile); block linear_threads
// Cost    2 tokens in out operations; each tile of one operand is read once per tile of the other
// Rounds  fp32, sums in input order, bit-reproducible
// See     Backend.linear, test/rows_test.cpp
#include "product.cuh"

EXPORT(linear_threads, THREADS);
EXPORT(linear_row_tile, TILE);
EXPORT(linear_column_tile, TILE);

#define LINEAR(NAME, T) \
    WIDE_KERNEL(linear_##NAME, THREADS, float* destination, const T* x, const T* weight, const float* bias, \
                int tokens, int in, int out, int adds) { \
        product(destination, Rows<T>{x, tokens, in}, Rows<T>{weight, out, in}, bias, adds != 0); \
    }

LINEAR(f32, float)
LINEAR(bf16, Bf16)
LINEAR(f16, F16)
