// Kernels that use the operations of hopper.cuh, rightly or with one mistake each.
#pragma once

#include "tensor_maps.h"

namespace {
constexpr int ROWS = 64; // of a warp group
constexpr int TILE = 64; // keys
constexpr int ROW_BYTES = 128;
constexpr int TILE_BYTES = TILE * ROW_BYTES;
constexpr int STAGES = 2;
constexpr int BLOCK = 2 * GROUP_THREADS;

/// Row and column of an element of a lane's sums.
int sum_row(int i) {
    return static_cast<int>(threadIdx.x) % GROUP_THREADS / WARP * 16 + static_cast<int>(threadIdx.x) % WARP / 4 +
           i / 2 % 2 * 8;
}

int sum_column(int i) {
    return i / 4 * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + i % 2;
}
} // namespace

/// Fields of descriptors, as on the device: s = q k' [64, 128], o = s / 64, rounded, times v [128, WIDTH].
template <class T, int WIDTH>
void described(const TensorMap& q, const TensorMap& k, const TensorMap& v, float* scores, float* out, int kLeading,
               int kStride, int vLeading, int vStride, int vStep) {
    constexpr int KEYS = 128;
    constexpr int PIECES = (WIDTH + 63) / 64;
    DYNAMIC_SHARED(unsigned char, pool);
    SHARED(Barrier, barrier);
    unsigned char* kPool = pool + PIECES * ROWS * ROW_BYTES;
    unsigned char* vPool = kPool + PIECES * KEYS * ROW_BYTES;
    if (threadIdx.x == 0) {
        initialise(&barrier, 1);
        barriers_initialised();
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        arrive_expecting(&barrier, PIECES * (ROWS + 2 * KEYS) * ROW_BYTES);
        for (int piece = 0; piece < PIECES; piece++) {
            load_box(pool + piece * ROWS * ROW_BYTES, q, &barrier, piece * 64, 0);
            load_box(kPool + piece * KEYS * ROW_BYTES, k, &barrier, piece * 64, 0);
            load_box(vPool + piece * KEYS * ROW_BYTES, v, &barrier, piece * 64, 0);
        }
    }
    wait_for(&barrier, 0);
    Registers<float, KEYS / 2> s;
    Registers<float, WIDTH / 2> o;
    Registers<unsigned, KEYS / 4> weights;
    begin_products(s);
    for (int i = 0; i < WIDTH / 16; i++) {
        multiply_tiles<T>(s, describe_tile(pool + i / 4 * ROWS * ROW_BYTES + i % 4 * 32, kLeading, kStride),
                          describe_tile(kPool + i / 4 * KEYS * ROW_BYTES + i % 4 * 32, kLeading, kStride), i != 0);
    }
    commit_products();
    wait_for_products<0>(s);
    for (int i = 0; i < KEYS / 4; i++) {
        weights[i] = pack<T>(s[2 * i] / 64, s[2 * i + 1] / 64);
    }
    for (int i = 0; i < WIDTH / 2; i++) {
        o[i] = 0;
    }
    begin_products(o, weights);
    for (int i = 0; i < KEYS / 16; i++) {
        multiply_registers<T>(o, weights, 4 * i, describe_tile(vPool + i * vStep, vLeading, vStride));
    }
    commit_products();
    wait_for_products<0>(o, weights);
    for (int i = 0; i < KEYS / 2; i++) {
        scores[sum_row(i) * KEYS + sum_column(i)] = s[i];
    }
    for (int i = 0; i < WIDTH / 2; i++) {
        out[sum_row(i) * WIDTH + sum_column(i)] = o[i];
    }
}

#define DESCRIBED(NAME, T, WIDTH) \
    WIDE_KERNEL(described_##NAME##_d##WIDTH, GROUP_THREADS, const __grid_constant__ TensorMap q, \
                const __grid_constant__ TensorMap k, const __grid_constant__ TensorMap v, float* scores, float* out, \
                int kLeading, int kStride, int vLeading, int vStride, int vStep) { \
        described<T, WIDTH>(q, k, v, scores, out, kLeading, kStride, vLeading, vStride, vStep); \
    }
DESCRIBED(bf16, Bf16, 128)
DESCRIBED(f16, F16, 128)
DESCRIBED(bf16, Bf16, 96)
DESCRIBED(bf16, Bf16, 80)
DESCRIBED(bf16, Bf16, 64)

/// What a kernel leaves out, or does wrongly.
enum Fault {
    NONE,
    BARRIERS_NOT_PUBLISHED,
    BARRIERS_NOT_SYNCHRONISED,
    BARRIER_IN_REGISTERS,
    NOT_WAITED_FOR_TILE,
    ONE_LANE_WAITS,
    ELEMENT_NOT_WAITED_FOR,
    ELEMENT_READ_BESIDE_RELEASE,
    TOO_FEW_BYTES,
    TOO_MANY_BYTES,
    WRONG_PARITY,
    NOT_RELEASED,
    RELEASED_TWICE,
    RELEASED_TOO_EARLY,
    NOT_WAITED_FOR_SLOT,
    ONE_BOX_OVER_ANOTHER,
    MISALIGNED_BOX,
    MISALIGNED_START,
    TILE_BEYOND_END,
    NO_BEGIN,
    NO_BEGIN_FOR_WEIGHTS,
    SUMS_TOO_EARLY,
    WEIGHTS_TOO_EARLY,
    PRODUCTS_NOT_COMMITTED,
    PRODUCTS_NOT_WAITED_FOR,
    DESCRIPTOR_BEYOND_TILE,
    DESCRIPTOR_BETWEEN_ROWS,
    WRITTEN_NOT_PUBLISHED,
    COPIED_OVER_UNPUBLISHED,
    ONE_WARP_LESS,
    NAMED_BARRIER_LEFT,
    NAMED_BARRIER_OF_OTHER_SIZE,
    NAMED_BARRIER_TWICE,
    NAMED_BARRIER_FOR_EVER,
    REGISTERS_DO_NOT_FIT,
    REGISTERS_BETWEEN_STEPS,
    REGISTERS_WRONG_WAY,
    COPY_NOBODY_WAITS_FOR,
};

/// out [64, 64] = sum over tiles of 64 keys of bf16(q k' / 64) v, k and v [keys, 64], all in boxes of 64 rows. One
/// thread copies, one warp group computes.
WIDE_KERNEL(streamed, BLOCK, const __grid_constant__ TensorMap q, const __grid_constant__ TensorMap k,
            const __grid_constant__ TensorMap v, float* out, int tiles, int fault) {
    DYNAMIC_SHARED(unsigned char, pool); // q, then stages of k and v
    SHARED(Barrier[1 + 2 * STAGES], barriers);
    Barrier* kept = barriers;
    Barrier* full = kept + 1;
    Barrier* empty = full + STAGES;
    if (threadIdx.x == 0) {
        for (int i = 0; i <= STAGES; i++) {
            initialise(kept + i, 1);
        }
        for (int i = 0; i < STAGES; i++) {
            initialise(empty + i, 4);
        }
        if (fault != BARRIERS_NOT_PUBLISHED) {
            barriers_initialised();
        }
    }
    if (fault != BARRIERS_NOT_SYNCHRONISED) {
        __syncthreads();
    }
    if (threadIdx.x < GROUP_THREADS) {
        if (fault != REGISTERS_DO_NOT_FIT) {
            give_registers<24>();
        }
        if (fault == NAMED_BARRIER_OF_OTHER_SIZE) {
            arrive_threads(1, 2 * GROUP_THREADS);
        }
        if (fault == NAMED_BARRIER_TWICE) {
            arrive_threads(1, 2 * GROUP_THREADS);
            arrive_threads(1, 2 * GROUP_THREADS);
        }
        if (threadIdx.x == 0) {
            Barrier local;
            arrive_expecting(fault == BARRIER_IN_REGISTERS ? &local : kept, TILE_BYTES);
            if (fault == COPIED_OVER_UNPUBLISHED) {
                pool[0] = 1;
            }
            load_box(pool, q, kept, 0, 0);
            for (int i = 0; i < tiles; i++) {
                int stage = i % STAGES;
                unsigned char* to = pool + (1 + 2 * stage) * TILE_BYTES;
                if (fault != NOT_WAITED_FOR_SLOT) {
                    wait_for(empty + stage, i / STAGES % 2 ^ 1);
                }
                arrive_expecting(full + stage, (fault == TOO_FEW_BYTES    ? 1
                                                : fault == TOO_MANY_BYTES ? 3
                                                                          : 2) *
                                                   TILE_BYTES);
                load_box(to + (fault == MISALIGNED_BOX ? 64 : 0), k, full + stage, 0, i * TILE);
                load_box(fault == ONE_BOX_OVER_ANOTHER ? to
                         : fault == TILE_BEYOND_END    ? to + (2 * STAGES - 1) * TILE_BYTES
                                                       : to + TILE_BYTES,
                         v, full + stage, fault == MISALIGNED_START ? 4 : 0, i * TILE);
            }
            if (fault == COPY_NOBODY_WAITS_FOR) {
                wait_for(empty + tiles % STAGES, tiles / STAGES % 2 ^ 1);
                arrive_expecting(full + tiles % STAGES, TILE_BYTES);
                load_box(pool + (1 + 2 * (tiles % STAGES)) * TILE_BYTES, k, full + tiles % STAGES, 0, 0);
            }
        }
        return;
    }
    if (fault == REGISTERS_BETWEEN_STEPS) {
        take_registers<252>();
    } else if (fault == REGISTERS_WRONG_WAY) {
        take_registers<40>();
    } else {
        take_registers<256>();
    }
    if (fault == NAMED_BARRIER_LEFT) {
        arrive_threads(1, 2 * GROUP_THREADS);
    }
    if (fault == NAMED_BARRIER_OF_OTHER_SIZE) {
        arrive_threads(1, GROUP_THREADS);
    }
    if (fault == NAMED_BARRIER_FOR_EVER) {
        sync_threads(1, 2 * GROUP_THREADS);
    }
    int warp = threadIdx.x % GROUP_THREADS / WARP;
    Registers<float, TILE / 2> s;
    Registers<float, 32> o;
    Registers<unsigned, TILE / 4> weights;
    for (int i = 0; i < 32; i++) {
        o[i] = 0;
    }
    wait_for(kept, 0);
    for (int tile = 0; tile < tiles; tile++) {
        int stage = tile % STAGES;
        unsigned char* keys = pool + (1 + 2 * stage) * TILE_BYTES;
        bool one = fault == ONE_LANE_WAITS || fault == ELEMENT_NOT_WAITED_FOR;
        bool waits = fault != NOT_WAITED_FOR_TILE && (!one || threadIdx.x % WARP == 0);
        if (waits) {
            wait_for(full + stage, (tile / STAGES % 2) ^ (fault == WRONG_PARITY));
        }
        if (fault == ELEMENT_NOT_WAITED_FOR) {
            __shfl_sync(ALL_LANES, tile, 0); // which orders no memory
            copied(keys[0]);
        }
        if (fault == WRITTEN_NOT_PUBLISHED && threadIdx.x == GROUP_THREADS) {
            keys[0] ^= 1;
        }
        __syncwarp(fault == ONE_LANE_WAITS ? 1u << threadIdx.x % WARP : ALL_LANES);
        if (fault != NO_BEGIN) {
            begin_products(s);
        }
        int beyond = fault == DESCRIPTOR_BEYOND_TILE && tile == 1 ? -TILE_BYTES / 2 // half of the slot before
                     : fault == DESCRIPTOR_BETWEEN_ROWS           ? ROW_BYTES
                                                                  : 0;
        for (int depth = 0; depth < 4; depth++) {
            multiply_tiles<Bf16>(s, describe_tile(pool + 32 * depth, 16, 1024),
                                 describe_tile(keys + beyond + 32 * depth, 16, 1024), depth != 0);
        }
        commit_products();
        if (fault != SUMS_TOO_EARLY) {
            wait_for_products<0>(s);
        }
        for (int i = 0; i < TILE / 4; i++) {
            weights[i] = pack<Bf16>(s[2 * i] / 64, s[2 * i + 1] / 64);
        }
        if (fault == NO_BEGIN_FOR_WEIGHTS) {
            begin_products(o);
        } else {
            begin_products(o, weights);
        }
        for (int i = 0; i < TILE / 16; i++) {
            multiply_registers<Bf16>(o, weights, 4 * i, describe_tile(keys + TILE_BYTES + i * 2048, 16, 1024));
        }
        if (fault == ONE_WARP_LESS && warp == 2) {
            multiply_registers<Bf16>(o, weights, 0, describe_tile(keys + TILE_BYTES, 16, 1024));
        }
        if (fault != PRODUCTS_NOT_COMMITTED) {
            commit_products();
        }
        if (fault == WEIGHTS_TOO_EARLY) {
            weights[0] = 0;
        }
        if (fault == RELEASED_TOO_EARLY && threadIdx.x % WARP == 0) {
            arrive(empty + stage);
        }
        if (fault != PRODUCTS_NOT_WAITED_FOR) {
            wait_for_products<0>(o, weights);
        }
        if (fault == ELEMENT_READ_BESIDE_RELEASE) {
            copied(keys[threadIdx.x % WARP]); // no __syncwarp()
        }
        bool releases = fault != RELEASED_TOO_EARLY && fault != NOT_RELEASED && threadIdx.x % WARP == 0;
        if (releases) {
            arrive(empty + stage);
        }
        if (fault == RELEASED_TWICE && threadIdx.x % WARP == 0) {
            arrive(empty + stage);
        }
    }
    if (fault == PRODUCTS_NOT_COMMITTED || fault == PRODUCTS_NOT_WAITED_FOR) {
        return;
    }
    for (int i = 0; i < 32; i++) {
        out[sum_row(i) * 64 + sum_column(i)] = o[i];
    }
}

/// Tiles that threads write: s = a b', [64, 64].
WIDE_KERNEL(written, GROUP_THREADS, const Bf16* a, const Bf16* b, float* sum) {
    DYNAMIC_SHARED(unsigned char, pool);
    for (int i = threadIdx.x; i < 64 * 64; i += GROUP_THREADS) {
        int row = i / 64;
        int at = row * ROW_BYTES + (i % 64 / 8 ^ row % 8) * 16 + i % 8 * 2;
        *reinterpret_cast<Bf16*>(pool + at) = a[i];
        *reinterpret_cast<Bf16*>(pool + TILE_BYTES + at) = b[i];
    }
    publish();
    __syncthreads();
    Registers<float, 32> s;
    begin_products(s);
    for (int depth = 0; depth < 4; depth++) {
        multiply_tiles<Bf16>(s, describe_tile(pool + 32 * depth, 16, 1024),
                             describe_tile(pool + TILE_BYTES + 32 * depth, 16, 1024), depth != 0);
    }
    commit_products();
    wait_for_products<0>(s);
    for (int i = 0; i < 32; i++) {
        sum[sum_row(i) * 64 + sum_column(i)] = s[i];
    }
}

/// Boxes without a swizzle: of a vector, and of a tensor of three axes. Reads them early, and once they have arrived.
WIDE_KERNEL(boxed, WARP, const __grid_constant__ TensorMap vector, const __grid_constant__ TensorMap tensor, int x, int y,
            int z, float* early, float* observed) {
    DYNAMIC_SHARED(float, pool); // [32], then [2, 2, 4]
    SHARED(Barrier, barrier);
    if (threadIdx.x == 0) {
        initialise(&barrier, 1);
        barriers_initialised();
        arrive_expecting(&barrier, (32 + 16) * sizeof(float));
        load_box(pool, vector, &barrier, x);
        load_box(pool + 32, tensor, &barrier, x, y, z);
    }
    __syncthreads();
    *early = pool[3];
    wait_for(&barrier, 0);
    observed[threadIdx.x] = copied(pool[threadIdx.x]);
    if (threadIdx.x < 16) {
        observed[32 + threadIdx.x] = copied(pool[32 + threadIdx.x]);
    }
}
