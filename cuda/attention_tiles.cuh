// Attention on tensor cores: a block keeps some rows of one head resident and multiplies them with streamed tiles of
// rows (Dao 2023, FlashAttention-2). Queries are resident while keys and values are streamed, or vice versa.
//
// A block has four warps. Each owns 32 of the resident rows (16 if heads are wider than 128), so that each read from
// shared memory serves two products. Three slots form a pipeline: a tile is copied while the two before it are read. A
// lane holds its elements of the warp's 16 x 8 products as multiply (tensor_core.cuh) lays them out: a row belongs to QUAD
// lanes.
#pragma once

#include "attention.cuh"
#include "tensor_core.cuh"

constexpr int TILE_WARPS = 4;
constexpr int TILE_THREADS = TILE_WARPS * WARP;
constexpr int CHUNK = 8;  // elements of 16 bits: 16 bytes
constexpr int PIECE = 16; // rows of a product

/// Layout of rows in shared memory. The chunks of eight rows in one column lie in different banks: by an exclusive or
/// if a row fills all banks, otherwise by a chunk of padding that makes the number of chunks odd.
template <int WIDTH>
struct TileShape {
    static constexpr int PIECES = WIDTH <= 128 ? 2 : 1; // per warp
    static constexpr int WARP_ROWS = PIECE * PIECES;
    static constexpr int KEPT = TILE_WARPS * WARP_ROWS;
    static constexpr int TILE = WIDTH <= 128 ? 64 : 32;
    static constexpr int COLUMNS = TILE / 8; // pieces of a tile
    static constexpr int ROWS = 2 * PIECES;  // rows of which a lane holds elements
    static constexpr int CHUNKS = WIDTH / CHUNK;
    static constexpr bool SWIZZLED = CHUNKS % 8 == 0;
    static constexpr int PITCH = SWIZZLED ? WIDTH : WIDTH + CHUNK;
    static constexpr int SLOTS = 3;
    static constexpr int BYTES = (KEPT + SLOTS * TILE) * PITCH * 2;

    using Products = float[PIECES][COLUMNS][4];

    /// Offset of a row's first chunk, in elements, and of a later chunk of the row.
    static __device__ int at(int row) {
        return row * PITCH + (SWIZZLED ? row % 8 * CHUNK : 0);
    }

    static __device__ int behind(int at, int chunks) {
        return SWIZZLED ? at ^ (chunks * CHUNK) : at + chunks * CHUNK;
    }
};

/// The resident row of a lane's element, and its column in the tile.
__device__ inline int lane_row(int r) {
    return r / 2 * PIECE + r % 2 * 8 + static_cast<int>(threadIdx.x) % WARP / QUAD;
}

__device__ inline int lane_column(int piece, int i) {
    return piece * 8 + static_cast<int>(threadIdx.x) % QUAD * 2 + i;
}

/// One head's part of a tensor.
template <class T>
struct RowsOfHead {
    const T* x; // [rows, stride], from the head's first element on
    int64_t stride;
    int rows;
    int headDim;

    /// The rows from `first` on.
    __device__ RowsOfHead(const T* tensor, int first, int head, int heads, int rows, int headDim)
        : x(tensor + (static_cast<int64_t>(first) * heads + head) * headDim),
          stride(static_cast<int64_t>(heads) * headDim), rows(rows), headDim(headDim) {}
};

template <class T>
__device__ RowsOfHead<T> queries_of(const AttentionSpec& spec, int head, const T* q) {
    return {q, spec.queryStart, head, spec.heads, spec.queries, spec.headDim};
}

/// One head's keys or values. Recomputed each time, which takes a few multiplications and no registers.
template <class T>
__device__ RowsOfHead<T> keys_of(const AttentionSpec& spec, int kvHead, const T* k) {
    return {k, recomputed(spec.keyStart), kvHead, spec.kvHeads, spec.keys, spec.headDim};
}

/// Starts copying COUNT rows; 0 beyond the last row and the head's width. Tensors are aligned to 16 bytes.
template <int WIDTH, int COUNT, class T>
__device__ void copy_rows(T* pool, int to, const RowsOfHead<T>& from, int first) {
    using Shape = TileShape<WIDTH>;
    constexpr int STEP = TILE_THREADS / Shape::CHUNKS;
    int thread = recomputed(threadIdx.x);
    if (thread >= STEP * Shape::CHUNKS) {
        return;
    }
    int chunk = thread % Shape::CHUNKS;
    int column = chunk * CHUNK;
    const T* source = from.x + (first + thread / Shape::CHUNKS) * from.stride + column;
    UNROLL for (int i = 0; i < COUNT; i += STEP) {
        int row = i + thread / Shape::CHUNKS;
        if (COUNT % STEP == 0 || row < COUNT) {
            bool there = first + row < from.rows;
            T* target = pool + to + Shape::behind(Shape::at(row), chunk);
            if (from.headDim % CHUNK == 0) {
                there = there && column < from.headDim;
                copy_chunk(target, there ? source : from.x, there);
            } else {
                for (int e = 0; e < CHUNK; e++) {
                    target[e] = there && column + e < from.headDim ? source[e] : from_float<T>(0);
                }
            }
        }
        source += STEP * from.stride;
    }
}

/// Streams tiles in reading order. While one is read, the next two are being copied.
template <class T, int WIDTH>
class Stream {
public:
    __device__ explicit Stream(T* pool) : pool(pool) {}

    /// Waits for copies in flight (a short text's second tile), which must not land in a later walk's or block's tiles.
    __device__ ~Stream() {
        wait_for_copies<0>();
    }

    /// Starts copying the first two tiles.
    __device__ void begin(const RowsOfHead<T>& from, int first, const RowsOfHead<T>& second, int secondFirst) {
        copy_rows<WIDTH, Shape::TILE>(pool, FIRST, from, first);
        end_copies();
        copy_rows<WIDTH, Shape::TILE>(pool, next(FIRST), second, secondFirst);
        end_copies();
    }

    /// Starts copying the tile after the next two into the slot that has been read; copies nothing if there is none.
    __device__ void follow(bool more, const RowsOfHead<T>& from, int first) {
        if (more) {
            copy_rows<WIDTH, Shape::TILE>(pool, next(reading), from, first);
        }
        end_copies();
    }

    /// Offset of the next tile in the pool, once it has arrived for all threads. All threads have read the tile before
    /// it, so that its slot is free. Synchronises.
    __device__ int arrived() {
        wait_for_copies<Shape::SLOTS - 2>();
        __syncthreads();
        int tile = reading;
        reading = next(reading);
        return tile;
    }

private:
    using Shape = TileShape<WIDTH>;
    static constexpr int FIRST = Shape::KEPT * Shape::PITCH;
    static constexpr int LENGTH = Shape::TILE * Shape::PITCH;

    static __device__ int next(int slot) {
        return slot == FIRST + (Shape::SLOTS - 1) * LENGTH ? FIRST : slot + LENGTH;
    }

    T* pool;
    int reading = FIRST;
};

/// Products of the resident rows from row on with the rows of a tile.
template <class T, int WIDTH, int PIECES, int COLUMNS>
__device__ void multiply_tile(float (&product)[PIECES][COLUMNS][4], const T* pool, int row, int tile) {
    using Shape = TileShape<WIDTH>;
    int lane = recomputed(threadIdx.x % WARP);
    int kept = recomputed(Shape::behind(Shape::at(row + lane % PIECE), lane / PIECE));
    int streamed = recomputed(tile + Shape::behind(Shape::at(lane / PIECE * 8 + lane % 8), lane / 8 % 2));
    UNROLL for (int p = 0; p < PIECES; p++) {
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            UNROLL for (int i = 0; i < 4; i++) {
                product[p][c][i] = 0;
            }
        }
    }
    UNROLL_BY(2) for (int depth = 0; depth < Shape::CHUNKS; depth += 2) {
        unsigned a[PIECES][4];
        UNROLL for (int p = 0; p < PIECES; p++) {
            load_matrices(a[p], pool + Shape::behind(kept, depth) + p * PIECE * Shape::PITCH);
        }
        UNROLL for (int c = 0; c < COLUMNS; c += 2) {
            unsigned b[4];
            load_matrices(b, pool + Shape::behind(streamed, depth) + c * 8 * Shape::PITCH);
            UNROLL for (int p = 0; p < PIECES; p++) {
                multiply<T>(product[p][c], a[p], b);
                multiply<T>(product[p][c + 1], a[p], b + 2);
            }
        }
    }
}

/// Products rounded to 16 bits, in the layout of left factors of another product.
template <class T, int WIDTH, int PIECES = TileShape<WIDTH>::PIECES, int COLUMNS = TileShape<WIDTH>::COLUMNS>
struct Weights {
    unsigned pair[PIECES][COLUMNS][2];

    __device__ void round(const float (&product)[PIECES][COLUMNS][4]) {
        UNROLL for (int p = 0; p < PIECES; p++) {
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    pair[p][c][i] = pack<T>(product[p][c][2 * i], product[p][c][2 * i + 1]);
                }
            }
        }
    }
};

/// Adds a warp's weights [rows, tile] times a tile of values [tile, WIDTH].
template <class T, int WIDTH, int PIECES = TileShape<WIDTH>::PIECES>
struct WeightedTiles {
    using Shape = TileShape<WIDTH>;

    float sum[PIECES][Shape::CHUNKS][4];

    __device__ WeightedTiles() {
        UNROLL for (int p = 0; p < PIECES; p++) {
            UNROLL for (int c = 0; c < Shape::CHUNKS; c++) {
                UNROLL for (int i = 0; i < 4; i++) {
                    sum[p][c][i] = 0;
                }
            }
        }
    }

    __device__ void scale(int r, float factor) {
        UNROLL for (int c = 0; c < Shape::CHUNKS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                sum[r / 2][c][r % 2 * 2 + i] *= factor;
            }
        }
    }

    template <int COLUMNS>
    __device__ void add(const Weights<T, WIDTH, PIECES, COLUMNS>& weight, const T* pool, int values) {
        int lane = recomputed(threadIdx.x % WARP);
        int streamed = recomputed(values + Shape::behind(Shape::at(lane % PIECE), lane / PIECE));
        UNROLL for (int depth = 0; depth < COLUMNS; depth += 2) {
            unsigned a[PIECES][4];
            UNROLL for (int p = 0; p < PIECES; p++) {
                UNROLL for (int i = 0; i < 4; i++) {
                    a[p][i] = weight.pair[p][depth + i / 2][i % 2];
                }
            }
            UNROLL for (int c = 0; c < Shape::CHUNKS; c += 2) {
                unsigned b[4];
                load_transposed(b, pool + Shape::behind(streamed, c) + depth * 8 * Shape::PITCH);
                UNROLL for (int p = 0; p < PIECES; p++) {
                    multiply<T>(sum[p][c], a[p], b);
                    multiply<T>(sum[p][c + 1], a[p], b + 2);
                }
            }
        }
    }

    /// Writes the rows of one head of the output from firstRow on, fp32 or rounded.
    template <class O>
    __device__ void write(O* out, const AttentionSpec& spec, int head, int firstRow) const {
        write(out + (static_cast<int64_t>(spec.queryStart) * spec.heads + head) * spec.headDim,
              static_cast<int64_t>(spec.heads) * spec.headDim, firstRow, spec.queries, spec.headDim, false);
    }

    /// Writes the rows from firstRow on of a tensor with this many rows, from a head's first element on, or adds to them.
    template <class O>
    __device__ void write(O* to, int64_t stride, int firstRow, int rows, int headDim, bool adds) const {
        UNROLL for (int r = 0; r < 2 * PIECES; r++) {
            int row = firstRow + lane_row(r);
            UNROLL for (int c = 0; c < Shape::CHUNKS; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    if (row < rows && lane_column(c, i) < headDim) {
                        O& element = to[row * stride + lane_column(c, i)];
                        element = from_float<O>((adds ? to_float(element) : 0) + sum[r / 2][c][r % 2 * 2 + i]);
                    }
                }
            }
        }
    }
};

/// Soft-capped products in units of log 2: tanh x = 1 - 2 / (exp 2x + 1), with an error of at most 2^-22 of the cap.
template <int PIECES, int COLUMNS>
__device__ void soft_cap(const AttentionSpec& spec, float (&product)[PIECES][COLUMNS][4]) {
    float cap = spec.softCap * LOG2_E;
    float slope = 2 * LOG2_E * spec.scale / spec.softCap;
    UNROLL for (int p = 0; p < PIECES; p++) {
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            UNROLL for (int i = 0; i < 4; i++) {
                product[p][c][i] = fmaf(-2 * cap, fast_reciprocal(fast_exp2(product[p][c][i] * slope) + 1), cap);
            }
        }
    }
}

/// Which keys of a tile are visible to a warp's rows.
struct TileMask {
    bool none;     // every key is masked for every row
    bool all;      // every key is visible to every row
    bool diagonal; // the tile may contain some row's own token or the previous one

    __device__ TileMask(const AttentionSpec& spec, int firstRow, int rows, int firstKey, int keys) {
        int lastRow = min(firstRow + rows, spec.queries) - 1;
        int lastKey = firstKey + keys - 1;
        none = firstRow > lastRow || firstKey >= spec.endKey(lastRow) || lastKey < spec.firstKey(firstRow);
        all = lastKey < spec.endKey(firstRow) && firstKey >= spec.firstKey(lastRow);
        diagonal = firstKey <= spec.position(lastRow) && lastKey >= spec.position(firstRow) - 1;
    }
};

/// First row of this block's query tile.
template <int WIDTH>
__device__ int first_kept_query(const AttentionSpec& spec) {
    return spec.tile * TileShape<WIDTH>::KEPT;
}

/// First row of a warp within the block.
template <int WIDTH>
__device__ int warp_row() {
    return static_cast<int>(threadIdx.x) / WARP * TileShape<WIDTH>::WARP_ROWS;
}

/// First key tile of a walk for the queries from firstRow on, and one past the last key visible to them.
template <int WIDTH>
__device__ int first_tile(const AttentionSpec& spec, int firstRow) {
    return spec.firstKey(firstRow) / TileShape<WIDTH>::TILE * TileShape<WIDTH>::TILE;
}

template <int WIDTH>
__device__ int end_of_keys(const AttentionSpec& spec, int firstRow) {
    return spec.endKey(min(firstRow + TileShape<WIDTH>::KEPT, spec.queries) - 1);
}

/// Visits every tile of keys visible to some query from firstRow on, in order: calls fold(mask, firstKey, product) in
/// the warps to which some of its keys are visible.
template <int WIDTH, class T, class Fold>
__device__ void walk_tiles(const AttentionSpec& spec, int head, int firstRow, const T* q, const T* k, T* pool,
                           Fold fold) {
    using Shape = TileShape<WIDTH>;
    int kvHead = spec.kvHead(head);
    int first = first_tile<WIDTH>(spec, firstRow);
    int end = end_of_keys<WIDTH>(spec, firstRow);
    Stream<T, WIDTH> stream(pool);
    copy_rows<WIDTH, Shape::KEPT>(pool, 0, queries_of(spec, head, q), firstRow);
    stream.begin(keys_of(spec, kvHead, k), first, keys_of(spec, kvHead, k), first + Shape::TILE);
    for (int key = first; key < end; key += Shape::TILE) {
        int tile = stream.arrived();
        stream.follow(key + 2 * Shape::TILE < end, keys_of(spec, kvHead, k), key + 2 * Shape::TILE);
        TileMask mask(spec, firstRow + warp_row<WIDTH>(), Shape::WARP_ROWS, key, Shape::TILE);
        if (!mask.none) {
            typename Shape::Products product;
            multiply_tile<T, WIDTH>(product, pool, warp_row<WIDTH>(), tile);
            fold(mask, key, product);
        }
    }
}

// Launch constants of a kernel: its name followed by _threads, _tile (resident rows) and _shared (bytes of dynamic shared
// memory).
#define EXPORT_TILES(kernel, WIDTH) \
    EXPORT(kernel##_threads, TILE_THREADS); \
    EXPORT(kernel##_tile, TileShape<WIDTH>::KEPT); \
    EXPORT(kernel##_shared, TileShape<WIDTH>::BYTES)
