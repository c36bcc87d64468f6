// Rows of a pool of pages: keys and values of texts that come and go.
//
//   gather_rows_<type>   rows[i, c] = pool[places[i], c]
//
// In      pool [.., width], fp32, bf16 or fp16; places [count], int: rows of the pool
// Out     rows [count, width], every element, of the pool's type
// Launch  grid x = count; block min(gather_rows_threads, width rounded up to 32)
// Cost    twice the bytes of rows
// Rounds  exact
// See     Backend.attention, test/rows_test.cpp
#include "tensor_core.cuh"

constexpr int THREADS = 256;
EXPORT(gather_rows_threads, THREADS);

#define GATHER_ROWS(NAME, T) \
    KERNEL(gather_rows_##NAME, THREADS, T* rows, const T* pool, const int* places, int width) { \
        T* to = rows + static_cast<int64_t>(blockIdx.x) * width; \
        const T* from = pool + static_cast<int64_t>(places[blockIdx.x]) * width; \
        for (int column = threadIdx.x; column < width; column += blockDim.x) { \
            to[column] = from[column]; \
        } \
    }

GATHER_ROWS(f32, float)
GATHER_ROWS(bf16, Bf16)
GATHER_ROWS(f16, F16)
