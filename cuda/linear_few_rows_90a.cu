// Matrix product of at most 64 rows with 16-bit weights on Hopper, for decoding: the first weights are read while the launch
// before still runs, and the blocks of a cluster share the terms of a tile's sums.
//
//   destination = x weight' + bias, or if adds is 1: destination += x weight' + bias
//
// In      x [rows, in], weight [out, in], both bf16 or fp16, as tensor maps with the swizzle of 128 bytes and boxes of 64
//         columns by linear_few_rows_90a_rows rows of x and a tile of rows of weight; bias [out] or null, fp32; rows from 1 to
//         linear_few_rows_90a_rows; in a multiple of 8
// Out     destination [rows, out], fp32, every element
// Launch  the numbers after t and c in the kernel's name are the rows of weight in a tile and the blocks in a cluster:
//         grid x = ceil(out / t) c; block linear_few_rows_90a_t<t>_threads; dynamic shared memory
//         linear_few_rows_90a_t<t>_shared
// Early   weight
// Cost    the bytes of weight; every tile reads x from the L2 cache
// Rounds  fp32: the sums of the blocks, in their order; bit-reproducible
// See     Backend.linear, test/linear_few_rows_90a_test.cpp
#include "group_tiles.cuh"

constexpr int ROWS = 64;  // of x, the columns of a product
constexpr int TERMS = 64; // of a step: 128 bytes of each row
constexpr int OUTS = 64; // of a warp group
constexpr int ROW_BYTES = 128;
constexpr int MOST_SHARED = 200 * 1024; // one block per multiprocessor
EXPORT(linear_few_rows_90a_rows, ROWS);

/// A tile of weights, and what a block keeps of it in shared memory.
template <int ROWS_OF_WEIGHT>
struct Weights {
    static constexpr int TILE = ROWS_OF_WEIGHT;
    static constexpr int GROUPS = TILE / OUTS;
    static constexpr int THREADS = (GROUPS + 1) * GROUP_THREADS;
    static constexpr int BYTES = TILE * ROW_BYTES;
    static constexpr int SLOT_BYTES = BYTES + ROWS * ROW_BYTES;
    static constexpr int SLOTS = MOST_SHARED / SLOT_BYTES;
    static constexpr int SHARED_BYTES = SLOTS * SLOT_BYTES;
    static constexpr int PITCH = TILE + 4; // the rows and columns of a warp's sums lie in different banks
    static_assert(ROWS * PITCH * sizeof(float) <= SHARED_BYTES, "sums take the place of tiles");

    static __device__ __forceinline__ unsigned char* slot(unsigned char* pool, int step) {
        return pool + step % SLOTS * SLOT_BYTES;
    }
};

/// sum [OUTS, ROWS] += a group's rows of a slot's weights times its rows of x.
template <class T>
__device__ __forceinline__ void multiply_slot(Registers<float, ROWS / 2>& sum, const unsigned char* weights,
                                              const unsigned char* rows) {
    uint64_t weight = describe_tile(weights, 16, 8 * ROW_BYTES);
    uint64_t x = describe_tile(rows, 16, 8 * ROW_BYTES);
    begin_products(sum);
    UNROLL for (int bytes = 0; bytes < ROW_BYTES; bytes += 32) {
        multiply_tiles<T>(sum, advance(weight, bytes), advance(x, bytes), true);
    }
    commit_products();
    wait_for_products<0>(sum);
}

template <class T, class Tile, int BLOCKS>
__device__ __forceinline__ void linear_few_rows(float* destination, const TensorMap& x, const TensorMap& weight,
                                                const float* bias, int rows, int in, int out, int adds) {
    DYNAMIC_SHARED(unsigned char, pool); // slots of weights and rows of x; then sums [ROWS][PITCH]
    SHARED(TileBarriers<Tile::SLOTS>, slots);
    int rank = cluster_rank();
    int firstOut = blockIdx.x / BLOCKS * Tile::TILE;
    int steps = (in + TERMS - 1) / TERMS;
    int first = steps * rank / BLOCKS;
    int count = steps * (rank + 1) / BLOCKS - first;
    int group = group_index();
    if (threadIdx.x == 0) {
        slots.initialise(4 * Tile::GROUPS);
        barriers_initialised();
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        prefetch_map(x);
        for (int i = 0; i < min(count, Tile::SLOTS); i++) {
            load_box(Tile::slot(pool, i), weight, slots.begin(i, Tile::SLOT_BYTES), (first + i) * TERMS, firstOut);
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
            const unsigned char* slot = Tile::slot(pool, i);
            multiply_slot<T>(sum, slot + group * OUTS * ROW_BYTES, slot + Tile::BYTES);
            slots.release(i);
        }
    } else if (threadIdx.x == 0) {
        for (int i = 0; i < count; i++) {
            unsigned char* slot = Tile::slot(pool, i);
            Barrier* full = slots.full + i % Tile::SLOTS;
            if (i >= Tile::SLOTS) {
                full = slots.begin(i, Tile::SLOT_BYTES);
                load_box(slot, weight, full, (first + i) * TERMS, firstOut);
            }
            load_box(slot + Tile::BYTES, x, full, (first + i) * TERMS, 0);
        }
    }
    __syncthreads(); // all tiles have been read

    auto sums = reinterpret_cast<float*>(pool);
    if (group >= 0) {
        UNROLL for (int i = 0; i < ROWS / 2; i++) {
            int row = i / 4 * 8 + group_column() + i % 2;
            sums[row * Tile::PITCH + group * OUTS + group_row(i / 2 % 2)] = sum[i];
        }
    }
    if (BLOCKS > 1) {
        sync_cluster();
    } else {
        __syncthreads();
    }
    for (int e = rank * Tile::THREADS + threadIdx.x; e < rows * Tile::TILE; e += BLOCKS * Tile::THREADS) {
        int row = e / Tile::TILE;
        int column = firstOut + e % Tile::TILE;
        if (column < out) {
            float total = 0;
            UNROLL for (int block = 0; block < BLOCKS; block++) {
                total += read_from(block, sums[row * Tile::PITCH + e % Tile::TILE]);
            }
            total += bias == nullptr ? 0 : bias[column];
            float* to = destination + static_cast<int64_t>(row) * out + column;
            *to = adds ? *to + total : total;
        }
    }
    if (BLOCKS > 1) {
        end_together(); // others have read this block's sums
    }
}

#define FEW_ROWS(TILE, BLOCKS, NAME, T) \
    CLUSTER_KERNEL(linear_few_rows_90a_##NAME##_t##TILE##_c##BLOCKS, Weights<TILE>::THREADS, BLOCKS, float* destination, \
                   const __grid_constant__ TensorMap x, const __grid_constant__ TensorMap weight, const float* bias, int rows, \
                   int in, int out, int adds) { \
        linear_few_rows<T, Weights<TILE>, BLOCKS>(destination, x, weight, bias, rows, in, out, adds); \
    } \
    BEGINS_EARLY(linear_few_rows_90a_##NAME##_t##TILE##_c##BLOCKS);
#define OF_TILE(TILE) \
    EXPORT(linear_few_rows_90a_t##TILE##_threads, Weights<TILE>::THREADS); \
    EXPORT(linear_few_rows_90a_t##TILE##_shared, Weights<TILE>::SHARED_BYTES);
#define BOTH(TILE, BLOCKS) FEW_ROWS(TILE, BLOCKS, bf16, Bf16) FEW_ROWS(TILE, BLOCKS, f16, F16)
OF_TILE(128) BOTH(128, 8)
OF_TILE(256) BOTH(256, 8) BOTH(256, 4) BOTH(256, 2) BOTH(256, 1)
