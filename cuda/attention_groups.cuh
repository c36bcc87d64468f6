// Attention on Hopper's tensor cores: a block keeps some rows of one head resident and multiplies them with streamed
// tiles of rows (Shah et al. 2024, FlashAttention-3). Queries are resident while keys and values are streamed, or vice
// versa.
//
// One thread of the first warp group copies tiles, as boxes of tensor maps; the other groups each own 64 of the resident rows.
#pragma once

#include "attention.cuh"
#include "group_tiles.cuh"

/// Layout of rows in shared memory: pieces of 64 columns, each [rows][128 bytes] as its box lies, one after the other.
template <int WIDTH, int GROUPS, int SLOTS_>
struct GroupShape {
    static constexpr int ROWS = 64; // of a warp group
    static constexpr int KEPT = ROWS * GROUPS;
    static constexpr int TILE = 128;
    static constexpr int SLOTS = SLOTS_;
    static constexpr int THREADS = GROUP_THREADS * (GROUPS + 1);
    static constexpr int ARRIVALS = 4 * GROUPS; // warps that read a tile
    static constexpr int PIECES = (WIDTH + 63) / 64;
    static constexpr int PIECE_COLUMNS = 64;
    static constexpr int ROW_BYTES = 128;
    static constexpr int KEPT_BYTES = PIECES * KEPT * ROW_BYTES;
    static constexpr int TILE_BYTES = PIECES * TILE * ROW_BYTES;
    static constexpr int COPY_REGISTERS = GROUPS == 3 ? 32 : 24;
    static constexpr int GROUP_REGISTERS = GROUPS == 4 ? 112 : GROUPS == 3 ? 160 : 240;
    static constexpr int PRODUCTS = TILE / 2; // scores of a tile that a thread holds
};

/// Copies rows of one head, from `row` on, as pieces; 0 beyond the tensor's last row and the head's width.
template <class Shape, int ROWS>
__device__ __forceinline__ void load_rows(unsigned char* to, const TensorMap& map, Barrier* barrier, int head, int row) {
    UNROLL for (int piece = 0; piece < Shape::PIECES; piece++) {
        load_box(to + piece * ROWS * Shape::ROW_BYTES, map, barrier, piece * Shape::PIECE_COLUMNS, head, row);
    }
}

/// Starts s [64, TILE] = the group's resident rows times a tile's rows.
template <class Shape, class T, int WIDTH>
__device__ __forceinline__ void multiply_rows(Registers<float, Shape::PRODUCTS>& s, const unsigned char* kept,
                                              const unsigned char* tile) {
    constexpr int EIGHT_ROWS = 8 * Shape::ROW_BYTES;
    uint64_t a = describe_tile(kept, 16, EIGHT_ROWS);
    uint64_t b = describe_tile(tile, 16, EIGHT_ROWS);
    UNROLL for (int step = 0; step < WIDTH / 16; step++) {
        int column = step % 4 * 32;
        multiply_tiles<T>(s, advance(a, step / 4 * Shape::KEPT * Shape::ROW_BYTES + column),
                          advance(b, step / 4 * Shape::TILE * Shape::ROW_BYTES + column), step != 0);
    }
    commit_products();
}

/// Starts sum [64, 2 N] += the group's weights [64, TILE] times a tile's rows.
template <class Shape, class T, int N>
__device__ __forceinline__ void add_weighted(Registers<float, N>& sum, Registers<unsigned, Shape::TILE / 4>& weight,
                                             const unsigned char* tile) {
    uint64_t b = describe_tile(tile, Shape::TILE * Shape::ROW_BYTES, 8 * Shape::ROW_BYTES);
    UNROLL for (int step = 0; step < Shape::TILE / 16; step++) {
        multiply_registers<T>(sum, weight, 4 * step, advance(b, step * 16 * Shape::ROW_BYTES));
    }
    commit_products();
}

/// Zeros in the rows of a tile from `first` on, by all threads that multiply: they may belong to another text, and a
/// weight of 0 times an infinite value is not 0.
template <class Shape>
__device__ __forceinline__ void clear_rows(unsigned char* tile, int first) {
    constexpr int WORDS = Shape::ROW_BYTES / 8;
    int thread = threadIdx.x - GROUP_THREADS;
    UNROLL for (int piece = 0; piece < Shape::PIECES; piece++) {
        auto words = reinterpret_cast<uint64_t*>(tile + piece * Shape::TILE * Shape::ROW_BYTES);
        for (int i = first * WORDS + thread; i < Shape::TILE * WORDS; i += Shape::THREADS - GROUP_THREADS) {
            words[i] = 0;
        }
    }
}

/// Calls process(s) with the products of the i-th tile, once the group has them; it releases the tile.
template <class Shape, class T, int WIDTH, class Process>
__device__ __forceinline__ void multiply_tile(const unsigned char* kept, const unsigned char* pool,
                                              TileBarriers<Shape::SLOTS>& barriers, int i, Process process) {
    Registers<float, Shape::PRODUCTS> s;
    barriers.wait(i);
    begin_products(s);
    multiply_rows<Shape, T, WIDTH>(s, kept, pool + i % Shape::SLOTS * Shape::TILE_BYTES);
    wait_for_products<0>(s);
    process(s);
}

/// Which tiles of a walk the rows of a group see: those before `first` not at all, those in `whole` whole, others in part.
struct SeenTiles {
    int first;
    Range whole;
};

struct Whole {
    static constexpr bool PARTIAL = false;
};
struct Partial {
    static constexpr bool PARTIAL = true;
};

/// Calls visit(Partial{}, i) or visit(Whole{}, i) for the tiles first .. end - 1 in order. Whole tiles, which do nearly all
/// work, have a loop of their own, which fits into the instruction cache.
template <class Visit>
__device__ __forceinline__ void visit_each(int first, int end, Range whole, Visit visit) {
    for (int i = first; i < end;) {
        int stop = i < whole.first ? whole.first : i < whole.end ? i : end;
        UNROLL_BY(1) for (; i < stop; i++) {
            visit(Partial{}, i);
        }
        UNROLL_BY(1) for (; i < whole.end; i++) {
            visit(Whole{}, i);
        }
    }
}

/// Soft-capped products in units of log 2, as in attention_tiles.cuh.
template <int N>
__device__ __forceinline__ void soft_cap(const AttentionSpec& spec, Registers<float, N>& s) {
    float cap = spec.softCap * LOG2_E;
    float slope = 2 * LOG2_E * spec.scale / spec.softCap;
    UNROLL for (int i = 0; i < N; i++) {
        s[i] = fmaf(-2 * cap, fast_reciprocal(fast_exp2(s[i] * slope) + 1), cap);
    }
}

// Launch constants of a kernel: its name followed by _threads, _tile (resident rows) and _shared (bytes of dynamic
// shared memory).
#define EXPORT_GROUPS(kernel, SHAPE) \
    EXPORT(kernel##_threads, SHAPE::THREADS); \
    EXPORT(kernel##_tile, SHAPE::KEPT); \
    EXPORT(kernel##_shared, SHAPE::BYTES)

/// The head widths that these kernels are compiled for.
#define FOR_EACH_GROUP_WIDTH(F) F(64) F(80) F(96) F(128)
