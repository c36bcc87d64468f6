// Matrix product of at most 64 rows with 16-bit weights on Hopper, for decoding: the first weights are read while the launch
// before still runs, and the blocks of a cluster share the terms of a tile's sums.
//
//   destination = x weight' + bias, or if adds is 1: destination += x weight' + bias
//
// In      x [rows, in], weight [out, in], both bf16 or fp16, as tensor maps with the swizzle of 128 bytes and boxes of 64
//         columns by linear_few_rows_90a_rows rows of x and linear_few_rows_90a_tile rows of weight; bias [out] or null, fp32; rows from 1 to
//         linear_few_rows_90a_rows; in a multiple of 8
// Out     destination [rows, out], fp32, every element
// Launch  grid x = ceil(out / linear_few_rows_90a_tile) linear_few_rows_90a_blocks; block linear_few_rows_90a_threads; dynamic
//         shared memory linear_few_rows_90a_shared
// Early   weight
// Cost    the bytes of weight; every tile reads x from the L2 cache
// Rounds  fp32: the sums of the blocks, in their order; bit-reproducible
// See     Backend.linear, test/linear_few_rows_90a_test.cpp
#include "group_tiles.cuh"

constexpr int ROWS = 64;  // of x, the columns of a product
constexpr int TERMS = 64; // of a step: 128 bytes of each row
constexpr int BLOCKS = 8; // of a cluster
constexpr int GROUPS = 2;
constexpr int OUTS = 64; // of a warp group
constexpr int TILE = GROUPS * OUTS;
constexpr int THREADS = (GROUPS + 1) * GROUP_THREADS;
constexpr int SLOTS = 4; // two blocks per multiprocessor
constexpr int ROW_BYTES = 128;
constexpr int WEIGHT_BYTES = TILE * ROW_BYTES;
constexpr int SLOT_BYTES = WEIGHT_BYTES + ROWS * ROW_BYTES;
constexpr int PITCH = TILE + 4; // the rows and columns of a warp's sums lie in different banks
static_assert(ROWS * PITCH * sizeof(float) <= SLOTS * SLOT_BYTES, "sums take the place of tiles");
EXPORT(linear_few_rows_90a_threads, THREADS);
EXPORT(linear_few_rows_90a_rows, ROWS);
EXPORT(linear_few_rows_90a_tile, TILE);
EXPORT(linear_few_rows_90a_blocks, BLOCKS);
EXPORT(linear_few_rows_90a_shared, SLOTS* SLOT_BYTES);

__device__ __forceinline__ unsigned char* slot_of(unsigned char* pool, int step) {
    return pool + step % SLOTS * SLOT_BYTES;
}

/// sum [OUTS, ROWS] += a group's rows of a slot's weights times its rows of x.
template <class T>
__device__ __forceinline__ void multiply_slot(Registers<float, ROWS / 2>& sum, const unsigned char* slot, int group) {
    uint64_t weight = describe_tile(slot + group * OUTS * ROW_BYTES, 16, 8 * ROW_BYTES);
    uint64_t x = describe_tile(slot + WEIGHT_BYTES, 16, 8 * ROW_BYTES);
    begin_products(sum);
    UNROLL for (int bytes = 0; bytes < ROW_BYTES; bytes += 32) {
        multiply_tiles<T>(sum, advance(weight, bytes), advance(x, bytes), true);
    }
    commit_products();
    wait_for_products<0>(sum);
}

template <class T>
__device__ __forceinline__ void linear_few_rows(float* destination, const TensorMap& x, const TensorMap& weight,
                                                const float* bias, int rows, int in, int out, int adds) {
    DYNAMIC_SHARED(unsigned char, pool); // slots of weights and rows of x; then sums [ROWS][PITCH]
    SHARED(TileBarriers<SLOTS>, slots);
    int rank = cluster_rank();
    int firstOut = blockIdx.x / BLOCKS * TILE;
    int steps = (in + TERMS - 1) / TERMS;
    int first = steps * rank / BLOCKS;
    int count = steps * (rank + 1) / BLOCKS - first;
    int group = group_index();
    if (threadIdx.x == 0) {
        slots.initialise(4 * GROUPS);
        barriers_initialised();
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        prefetch_map(x);
        for (int i = 0; i < min(count, SLOTS); i++) {
            load_box(slot_of(pool, i), weight, slots.begin(i, SLOT_BYTES), (first + i) * TERMS, firstOut);
        }
    }
    await_turn();
    Registers<float, ROWS / 2> sum;
    UNROLL for (int i = 0; i < ROWS / 2; i++) {
        sum[i] = 0;
    }
    if (group >= 0) {
        for (int i = 0; i < count; i++) {
            slots.wait(i);
            multiply_slot<T>(sum, slot_of(pool, i), group);
            slots.release(i);
        }
    } else if (threadIdx.x == 0) {
        for (int i = 0; i < count; i++) {
            unsigned char* slot = slot_of(pool, i);
            Barrier* full = slots.full + i % SLOTS;
            if (i >= SLOTS) {
                full = slots.begin(i, SLOT_BYTES);
                load_box(slot, weight, full, (first + i) * TERMS, firstOut);
            }
            load_box(slot + WEIGHT_BYTES, x, full, (first + i) * TERMS, 0);
        }
    }
    __syncthreads(); // all tiles have been read

    auto sums = reinterpret_cast<float*>(pool);
    if (group >= 0) {
        UNROLL for (int i = 0; i < ROWS / 2; i++) {
            int row = i / 4 * 8 + group_column() + i % 2;
            sums[row * PITCH + group * OUTS + group_row(i / 2 % 2)] = sum[i];
        }
    }
    sync_cluster();
    for (int e = rank * THREADS + threadIdx.x; e < rows * TILE; e += BLOCKS * THREADS) {
        int row = e / TILE;
        int column = firstOut + e % TILE;
        if (column < out) {
            float total = 0;
            UNROLL for (int block = 0; block < BLOCKS; block++) {
                total += read_from(block, sums[row * PITCH + e % TILE]);
            }
            total += bias == nullptr ? 0 : bias[column];
            float* to = destination + static_cast<int64_t>(row) * out + column;
            *to = adds ? *to + total : total;
        }
    }
    end_together(); // others have read this block's sums
}

#define LINEAR_FEW_ROWS(NAME, T) \
    CLUSTER_KERNEL(linear_few_rows_90a_##NAME, THREADS, BLOCKS, float* destination, const __grid_constant__ TensorMap x, \
                   const __grid_constant__ TensorMap weight, const float* bias, int rows, int in, int out, int adds) { \
        linear_few_rows<T>(destination, x, weight, bias, rows, in, out, adds); \
    } \
    BEGINS_EARLY(linear_few_rows_90a_##NAME);

LINEAR_FEW_ROWS(bf16, Bf16)
LINEAR_FEW_ROWS(f16, F16)
