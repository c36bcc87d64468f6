// Householder's QR decomposition of a panel by a block, one column per warp; see symmetric_band.cu.
#pragma once

#include "reflection.cuh"

/// A column of the panel in the registers of a warp: lane l holds rows l, l + 32, .. With SLOTS = 0 it stays in memory.
template <int SLOTS>
class Column {
public:
    __device__ Column(float* column, int rows) : memory(column), rows(rows) {
        if constexpr (SLOTS > 0) {
            UNROLL for (int i = 0; i < SLOTS; i++) {
                elements[i] = row(i) < rows ? column[row(i)] : 0;
            }
        }
    }

    __device__ int slots() const {
        return SLOTS > 0 ? SLOTS : (rows + WARP - 1) / WARP;
    }

    __device__ static int row(int slot) {
        return slot * WARP + static_cast<int>(threadIdx.x) % WARP;
    }

    /// 0 beyond the last row.
    __device__ float get(int slot) const {
        if constexpr (SLOTS > 0) {
            return elements[slot];
        } else {
            return row(slot) < rows ? memory[row(slot)] : 0;
        }
    }

    __device__ void set(int slot, float value) {
        if constexpr (SLOTS > 0) {
            elements[slot] = row(slot) < rows ? value : 0;
        } else if (row(slot) < rows) {
            memory[row(slot)] = value;
        }
    }

private:
    float* memory;
    int rows;
    float elements[SLOTS > 0 ? SLOTS : 1];
};

/// Products of columns of V, and the factors of the reflections.
template <int WIDTH>
struct Triangle {
    static_assert(WIDTH <= WARP, "a lane has a row");
    float products[WIDTH][WIDTH];
    float taus[WIDTH];

    /// T by its rows, one per lane (Schreiber and Van Loan 1989).
    __device__ void invert(float* t) const {
        int lane = static_cast<int>(threadIdx.x) % WARP;
        float row[WIDTH];
        UNROLL for (int c = 0; c < WIDTH; c++) {
            float sum = 0;
            UNROLL for (int p = 0; p < c; p++) {
                sum += row[p] * products[p][c];
            }
            row[c] = lane == c ? taus[c] : lane < c ? -taus[c] * sum : 0;
        }
        if (lane < WIDTH) {
            UNROLL for (int c = 0; c < WIDTH; c++) {
                t[lane * WIDTH + c] = row[c];
            }
        }
    }
};

/// Rows of V.
template <int WIDTH>
using Tile = float[WARP][WIDTH + 1];

/// Warp j holds column j. At step c, all warps read column c from shared memory and reflect their own. Synchronises after
/// the last write to the triangle.
template <int WIDTH, int SLOTS>
__device__ void factor(
    float* matrix, float* v, Triangle<WIDTH>& triangle, Tile<WIDTH>& tile, float* pool, int n, int k) {
    int thread = static_cast<int>(threadIdx.x);
    int lane = thread % WARP;
    int own = thread / WARP;
    int first = k + WIDTH;
    int rows = n - first;
    int padded = (rows + WARP - 1) / WARP * WARP;
    Column<SLOTS> column(matrix + static_cast<int64_t>(k + own) * n + first, rows); // by symmetry, a row
    for (int c = 0; c < WIDTH; c++) {
        float* x = pool + c % 2 * padded;
        if (own == c) {
            UNROLL for (int i = 0; i < column.slots(); i++) {
                if (i * WARP < rows) {
                    x[column.row(i)] = column.row(i) < c ? 0 : column.get(i);
                }
            }
        }
        __syncthreads();
        float squares = 0;
        float dot = 0;
        UNROLL for (int i = 0; i < column.slots(); i++) {
            if (i * WARP < rows) {
                float element = column.row(i) == c ? 0 : x[column.row(i)];
                squares += element * element;
                dot += element * column.get(i);
            }
        }
        float head = column.get(0);
        Reflection reflection(c < rows ? x[c] : 0, warp_sum(squares));
        dot = __shfl_sync(ALL_LANES, head, c) + reflection.scale * warp_sum(dot);
        if (own < c) {
            if (lane == 0) {
                triangle.products[own][c] = dot;
            }
            continue;
        }
        if (own == c && lane <= c && lane < rows) {
            matrix[static_cast<int64_t>(first + lane) * n + k + c] = lane == c ? reflection.beta : head;
            triangle.taus[c] = reflection.tau;
        }
        UNROLL for (int i = 0; i < column.slots(); i++) {
            if (i * WARP < rows) {
                float element = column.row(i) == c ? 1 : x[column.row(i)] * reflection.scale;
                column.set(i, own == c ? element : column.get(i) - reflection.tau * dot * element);
            }
        }
    }
    UNROLL for (int i = 0; i < column.slots(); i++) {
        if (i * WARP < rows) {
            tile[lane][own] = column.get(i);
            __syncthreads();
            if (i * WARP + thread / WIDTH < rows) {
                v[i * WARP * WIDTH + thread] = tile[thread / WIDTH][thread % WIDTH];
            }
            __syncthreads();
        }
    }
}

template <int WIDTH>
__device__ void factor_panel(float* v, float* t, float* matrix, int n, int k) {
    DYNAMIC_SHARED(float, pool); // two columns
    SHARED(Triangle<WIDTH>, triangle);
    SHARED(Tile<WIDTH>, tile);
    int64_t index = blockIdx.x;
    matrix += index * n * n;
    v += index * n * WIDTH;
    t += index * WIDTH * WIDTH;
    int rows = n - k - WIDTH;
    if (rows <= 256) {
        factor<WIDTH, 8>(matrix, v, triangle, tile, pool, n, k);
    } else if (rows <= 512) {
        factor<WIDTH, 16>(matrix, v, triangle, tile, pool, n, k);
    } else if (rows <= 1024) {
        factor<WIDTH, 32>(matrix, v, triangle, tile, pool, n, k);
    } else {
        factor<WIDTH, 0>(matrix, v, triangle, tile, pool, n, k);
    }
    if (threadIdx.x < WARP) {
        triangle.invert(t);
    }
}
