// Matrix product of at most 16 rows with 16-bit weights, on tensor cores, for decoding: weights are read once, several steps ahead
//
//   destination = x weight' + bias, or if adds is 1: destination += x weight' + bias
//
// In      x [rows, in], weight [out, in], both bf16 or fp16, aligned to 16 bytes; bias [out] or null, fp32;
//         rows from 1 to the number in the kernel's name; in a multiple of linear_few_rows_step
// Out     destination [rows, out], fp32, every element
// Launch  grid x = ceil(out / linear_few_rows_tile); block linear_few_rows_threads
// Cost    the bytes of weight; every block reads x from the L2 cache
// Rounds  fp32: the sums of the warps, in their order; bit-reproducible
// See     Backend.linear, test/linear_few_rows_test.cpp
#include "tensor_core.cuh"

constexpr int WARPS = 8;
constexpr int THREADS = WARPS * WARP;
constexpr int SIDE = 8; // rows of x in a product, and terms that a lane reads at once
constexpr int TILE = 2 * SIDE; // rows of weight in a product
constexpr int STEP = 4 * SIDE; // terms of two products; four lanes read them in each row
EXPORT(linear_few_rows_threads, THREADS);
EXPORT(linear_few_rows_tile, TILE);
EXPORT(linear_few_rows_step, STEP);

/// Consecutive terms of a row, in pairs.
using Terms = unsigned[SIDE / 2];

/// What a lane holds of one step. Both operands of a product take their terms in the same order, which is not that of memory: one
/// product has the first two pairs of what each lane reads, the other one the last two.
template <int GROUPS>
struct Operands {
    Terms weight[2];
    Terms x[GROUPS];

    template <class T>
    __device__ void multiply(float (&sums)[GROUPS][4]) const {
        UNROLL for (int pair = 0; pair < SIDE / 2; pair += 2) {
            unsigned a[4] = {weight[0][pair], weight[1][pair], weight[0][pair + 1], weight[1][pair + 1]};
            UNROLL for (int j = 0; j < GROUPS; j++) {
                ::multiply<T>(sums[j], a, x[j] + pair);
            }
        }
    }
};

/// Where a lane's terms begin. Rows past the end repeat the last one; their sums are discarded.
template <class T, int GROUPS>
struct OwnRows {
    const T* weight[2];
    const T* x[GROUPS];

    __device__ OwnRows(const T* weights, const T* xs, int rows, int in, int out) {
        int group = threadIdx.x % WARP / 4;
        int first = threadIdx.x % 4 * SIDE;
        UNROLL for (int i = 0; i < 2; i++) {
            int row = min(static_cast<int>(blockIdx.x) * TILE + i * SIDE + group, out - 1);
            weight[i] = weights + static_cast<int64_t>(row) * in + first;
        }
        UNROLL for (int j = 0; j < GROUPS; j++) {
            x[j] = xs + min(j * SIDE + group, rows - 1) * in + first;
        }
    }

    __device__ void read(Operands<GROUPS>& to, int step) const {
        UNROLL for (int i = 0; i < 2; i++) {
            read_chunk(reinterpret_cast<T*>(to.weight[i]), weight[i] + step * STEP);
        }
        UNROLL for (int j = 0; j < GROUPS; j++) {
            read_chunk(reinterpret_cast<T*>(to.x[j]), x[j] + step * STEP);
        }
    }
};

/// Each warp multiplies its part of the terms, and reads DEPTH steps ahead; then the warps' sums are added.
template <class T, int GROUPS, int DEPTH>
__device__ void linear_few_rows(float* destination, const T* x, const T* weight, const float* bias, int rows, int in, int out,
                                int adds) {
    constexpr int PITCH = TILE + 4; // the sums of a warp's lanes lie in different banks
    SHARED(float[WARPS][GROUPS * SIDE][PITCH], parts);
    int warp = threadIdx.x / WARP;
    int lane = threadIdx.x % WARP;
    int step = in / STEP * warp / WARPS;
    int end = in / STEP * (warp + 1) / WARPS;

    OwnRows<T, GROUPS> own(weight, x, rows, in, out);
    Operands<GROUPS> operands[DEPTH];
    float sums[GROUPS][4] = {};
    UNROLL for (int ahead = 0; ahead < DEPTH; ahead++) {
        if (step + ahead < end) {
            own.read(operands[ahead], step + ahead);
        }
    }
    for (; step < end; step += DEPTH) {
        UNROLL for (int ahead = 0; ahead < DEPTH; ahead++) {
            if (step + ahead < end) { // the branch keeps the compiler from delaying the reads of the step before
                operands[ahead].template multiply<T>(sums);
                if (step + ahead + DEPTH < end) {
                    own.read(operands[ahead], step + ahead + DEPTH);
                }
            }
        }
    }

    UNROLL for (int j = 0; j < GROUPS; j++) {
        UNROLL for (int e = 0; e < 4; e++) {
            parts[warp][j * SIDE + lane % 4 * 2 + e % 2][lane / 4 + e / 2 * SIDE] = sums[j][e];
        }
    }
    __syncthreads();
    int row = threadIdx.x / TILE;
    int column = blockIdx.x * TILE + threadIdx.x % TILE;
    if (row < rows && column < out) {
        float sum = 0;
        UNROLL for (int part = 0; part < WARPS; part++) {
            sum += parts[part][row][threadIdx.x % TILE];
        }
        sum += bias == nullptr ? 0 : bias[column];
        float* to = destination + static_cast<int64_t>(row) * out + column;
        *to = adds ? *to + sum : sum;
    }
}

#define FEW_ROWS(ROWS, DEPTH, NAME, T) \
    static_assert(ROWS * TILE <= THREADS, "one thread per sum"); \
    RESIDENT_KERNEL(linear_few_rows_##NAME##_r##ROWS, THREADS, 2, float* destination, const T* x, const T* weight, \
                    const float* bias, int rows, int in, int out, int adds) { \
        linear_few_rows<T, ROWS / SIDE, DEPTH>(destination, x, weight, bias, rows, in, out, adds); \
    }
#define LINEAR_FEW_ROWS(NAME, T) FEW_ROWS(8, 8, NAME, T) FEW_ROWS(16, 6, NAME, T)

LINEAR_FEW_ROWS(bf16, Bf16)
LINEAR_FEW_ROWS(f16, F16)
