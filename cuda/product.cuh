// Tiled matrix product of row-major or transposed operands, shared by linear.cu and linear_gradient.cu.
#pragma once

#include "tensor_core.cuh"

constexpr int SIDE = 16; // threads along a row or a column of a tile
constexpr int OWNED = 4; // rows and columns per thread
constexpr int TILE = SIDE * OWNED;
constexpr int SLICE = 16; // terms in shared memory at a time
constexpr int THREADS = SIDE * SIDE;

using Slice = float[TILE][SLICE + 1]; // one column of padding: sixteen rows lie in sixteen banks

/// x [rows, depth], fp32 or 16 bits.
template <class T>
struct Rows {
    const T* x;
    int64_t rows;
    int64_t depth;

    /// Terms first .. first + SLICE - 1 of TILE rows; 0 beyond the last. Neighbouring threads read neighbouring terms.
    __device__ void load(Slice& slice, int64_t row, int64_t first) const {
        for (int i = threadIdx.x; i < TILE * SLICE; i += THREADS) {
            int64_t from = row + i / SLICE;
            int64_t term = first + i % SLICE;
            slice[i / SLICE][i % SLICE] = from < rows && term < depth ? to_float(x[from * depth + term]) : 0;
        }
    }
};

/// x [depth, rows], used transposed: the columns of x are the rows.
template <class T>
struct Columns {
    const T* x;
    int64_t rows;
    int64_t depth;

    __device__ void load(Slice& slice, int64_t row, int64_t first) const {
        for (int i = threadIdx.x; i < TILE * SLICE; i += THREADS) {
            int64_t from = row + i % TILE;
            int64_t term = first + i / TILE;
            slice[i % TILE][i / TILE] = from < rows && term < depth ? to_float(x[term * rows + from]) : 0;
        }
    }
};

/// destination [a.rows, b.rows] = every row of a times every row of b, + bias [b.rows] or null; adds it if wanted. Block x owns a tile of
/// rows, block y a tile of columns.
template <class A, class B>
__device__ void product(float* destination, const A& a, const B& b, const float* bias, bool adds) {
    SHARED(Slice, slice_a);
    SHARED(Slice, slice_b);
    int64_t firstRow = static_cast<int64_t>(blockIdx.x) * TILE;
    int64_t firstColumn = static_cast<int64_t>(blockIdx.y) * TILE;
    int row = threadIdx.x / SIDE;
    int column = threadIdx.x % SIDE;
    float sum[OWNED][OWNED] = {};
    for (int64_t first = 0; first < a.depth; first += SLICE) {
        __syncthreads(); // earlier slices have been read
        a.load(slice_a, firstRow, first);
        b.load(slice_b, firstColumn, first);
        __syncthreads();
        UNROLL for (int i = 0; i < SLICE; i++) {
            UNROLL for (int r = 0; r < OWNED; r++) {
                UNROLL for (int c = 0; c < OWNED; c++) {
                    sum[r][c] += slice_a[row + SIDE * r][i] * slice_b[column + SIDE * c][i];
                }
            }
        }
    }
    UNROLL for (int r = 0; r < OWNED; r++) {
        UNROLL for (int c = 0; c < OWNED; c++) {
            int64_t i = firstRow + row + SIDE * r;
            int64_t j = firstColumn + column + SIDE * c;
            if (i < a.rows && j < b.rows) {
                float& element = destination[i * b.rows + j];
                float value = sum[r][c] + (bias == nullptr ? 0 : bias[j]);
                element = adds ? element + value : value;
            }
        }
    }
}
