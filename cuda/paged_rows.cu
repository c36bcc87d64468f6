// Rows of a pool of pages: keys and values of texts that come and go.
//
//   store    pool[places[i], c] = rows[i, c], rounded to nearest, ties to even
//   gather   rows[i, c] = pool[places[i], c]
//
// In      store: rows [count, width], fp32; gather: pool [.., width], fp32, bf16 or fp16. places [count], int: rows of
//         the pool, for store without repetition
// Out     store: these rows of pool [.., width], fp32, bf16 or fp16; gather: rows [count, width], every element, of the
//         pool's type
// Launch  grid x = count; block min(paged_rows_threads, width rounded up to 32)
// Cost    the bytes of rows and of as many rows of the pool
// Rounds  once; gather: exact
// See     Backend.store, Backend.attention, test/rows_test.cpp
#include "tensor_core.cuh"

constexpr int THREADS = 256;
EXPORT(paged_rows_threads, THREADS);

#define PAGED_ROWS(NAME, T) \
    KERNEL(store_rows_##NAME, THREADS, T* pool, const float* rows, const int* places, int width) { \
        T* to = pool + static_cast<int64_t>(places[blockIdx.x]) * width; \
        const float* from = rows + static_cast<int64_t>(blockIdx.x) * width; \
        for (int column = threadIdx.x; column < width; column += blockDim.x) { \
            to[column] = from_float<T>(from[column]); \
        } \
    } \
    KERNEL(gather_rows_##NAME, THREADS, T* rows, const T* pool, const int* places, int width) { \
        T* to = rows + static_cast<int64_t>(blockIdx.x) * width; \
        const T* from = pool + static_cast<int64_t>(places[blockIdx.x]) * width; \
        for (int column = threadIdx.x; column < width; column += blockDim.x) { \
            to[column] = from[column]; \
        } \
    }

PAGED_ROWS(f32, float)
PAGED_ROWS(bf16, Bf16)
PAGED_ROWS(f16, F16)
