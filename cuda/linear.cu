// A matrix product with a bias, for machines without cuBLAS and for the emulator.
//
//   destination = x weight' + bias
//
// In      x [tokens, in], weight [out, in], bias [out] or null, fp32
// Out     destination [tokens, out], fp32, every element
// Launch  grid x = ceil(tokens / linear_row_tile), y = ceil(out / linear_column_tile); block linear_threads
// Cost    2 tokens in out operations; a tile of x or weight is read once for each tile of the other
// Rounds  fp32, in order of the inputs; same bits each time
// See     Backend.linear, test/rows_test.cpp
#include "kernel.cuh"

constexpr int SIDE = 16; // threads along a row or a column of a tile
constexpr int OWNED = 4; // rows, and columns, of a thread
constexpr int TILE = SIDE * OWNED;
constexpr int SLICE = 16; // inputs in shared memory at a time
constexpr int THREADS = SIDE * SIDE;
EXPORT(linear_threads, THREADS);
EXPORT(linear_row_tile, TILE);
EXPORT(linear_column_tile, TILE);

/// Inputs first .. first + SLICE - 1 of TILE rows; 0 beyond the last.
__device__ static void load(float (&slice)[TILE][SLICE + 1], const float* x, int64_t row, int64_t rows, int first,
                            int in) {
    for (int i = threadIdx.x; i < TILE * SLICE; i += THREADS) {
        int64_t from = row + i / SLICE;
        int column = first + i % SLICE;
        slice[i / SLICE][i % SLICE] = from < rows && column < in ? x[from * in + column] : 0;
    }
}

KERNEL(linear_f32, THREADS, float* destination, const float* x, const float* weight, const float* bias, int tokens,
       int in, int out) {
    SHARED(float[TILE][SLICE + 1], inputs); // one more column: sixteen rows lie in sixteen banks
    SHARED(float[TILE][SLICE + 1], weights);
    int64_t firstToken = static_cast<int64_t>(blockIdx.x) * TILE;
    int64_t firstOut = static_cast<int64_t>(blockIdx.y) * TILE;
    int row = threadIdx.x / SIDE;
    int column = threadIdx.x % SIDE;
    float sum[OWNED][OWNED] = {};
    for (int first = 0; first < in; first += SLICE) {
        __syncthreads(); // the slices before have been read
        load(inputs, x, firstToken, tokens, first, in);
        load(weights, weight, firstOut, out, first, in);
        __syncthreads();
        UNROLL for (int i = 0; i < SLICE; i++) {
            UNROLL for (int r = 0; r < OWNED; r++) {
                UNROLL for (int c = 0; c < OWNED; c++) {
                    sum[r][c] += inputs[row + SIDE * r][i] * weights[column + SIDE * c][i];
                }
            }
        }
    }
    UNROLL for (int r = 0; r < OWNED; r++) {
        UNROLL for (int c = 0; c < OWNED; c++) {
            int64_t token = firstToken + row + SIDE * r;
            int64_t to = firstOut + column + SIDE * c;
            if (token < tokens && to < out) {
                destination[token * out + to] = sum[r][c] + (bias == nullptr ? 0 : bias[to]);
            }
        }
    }
}
