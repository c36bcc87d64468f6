// Tiled products of fp32 attention, and the walk of a query tile over its visible keys. The walk passes scores to
// a struct (the fold) with
//
//   void tile(int firstKey, float (&score)[ROWS][COLUMNS])        called for the key tiles in order
//
// A block has 16 x 16 threads. Thread (row, column) owns the rows row + 16 r and the columns column + 16 c of a tile,
// so that a row belongs to sixteen neighbouring lanes. Scores are in units of log 2, so that the softmax uses exp2.
#pragma once

#include "quad.cuh"
#include "tensor_core.cuh"
#include "text_tile.cuh"

constexpr int SIDE = 16;   // threads along a row or a column of a tile
constexpr int ROWS = 4;    // per thread
constexpr int COLUMNS = 4; // per thread
constexpr int QUERY_TILE = SIDE * ROWS;
constexpr int KEY_TILE = SIDE * COLUMNS;
constexpr int SLICE = 16; // columns of a head, or rows of a key tile, in shared memory at a time
constexpr int ATTENTION_THREADS = SIDE * SIDE;

constexpr float LOG2_E = 1.44269504f;
constexpr float LN_2 = 0.69314718f;

/// The score of a masked key; finite, because 0 * -infinity would make the entropy NaN.
constexpr float BELOW_ALL = -1e30f;

/// first .. end - 1
struct Range {
    int first;
    int end;
};

/// Where kernels with 16-bit operands write their output [queries, heads * headDim]: fp32, or rounded for a product. The other one is
/// null.
template <class T>
struct AttentionOutput {
    float* exact;
    T* rounded;
};

/// AttentionSpec.java and the lengths and places of one text.
struct AttentionSpec {
    int queries;
    int keys;
    int heads;
    int kvHeads;
    int headDim;
    float scale;
    int causal;
    int window;
    float softCap;
    int queryStart;
    int keyStart;
    int slot;
    int tile; // of the block, counted from the text's first row
    int firstPage;
    int capacity;
    int64_t statistics;

    /// Where a head's vector over tokens begins: element i belongs to token i.
    __device__ int64_t vector(int head) const {
        return statistics + static_cast<int64_t>(head) * capacity;
    }

    /// The element of a query row in a head's vector.
    __device__ int64_t element(int head, int row) const {
        return vector(head) + position(row);
    }

    /// The key and value head that a query head reads.
    __device__ int kvHead(int head) const {
        return head / (heads / kvHeads);
    }

    /// The position in the text of a query row: the queries are the last of the keys.
    __device__ int position(int row) const {
        return causal ? keys - queries + row : row;
    }

    /// The first key visible to a query row, and one past the last.
    __device__ int firstKey(int row) const {
        return window == 0 ? 0 : max(0, position(row) - window + 1);
    }

    __device__ int endKey(int row) const {
        return causal ? min(position(row) + 1, keys) : keys;
    }

    /// The first query row that attends to a key, and one past the last.
    __device__ int firstRow(int key) const {
        return causal ? max(0, key - position(0)) : 0;
    }

    __device__ int endRow(int key) const {
        int64_t reach = static_cast<int64_t>(key) + window - position(0);
        return window == 0 ? queries : static_cast<int>(max(int64_t{0}, min(reach, int64_t{queries})));
    }

    /// The score of a product q k', in units of log 2.
    __device__ float score(float product) const {
        return softCap > 0 ? softCap * LOG2_E * tanhf(product * scale / softCap) : product * (scale * LOG2_E);
    }
};

/// A text's spec in a block: from the tile with this index, or without tiles that of the only text.
/// Vectors of the only text are [heads, capacity], or [heads, queries] if the capacity is 0.
__device__ inline AttentionSpec attention_spec(const TextTile* tiles, unsigned index, const AttentionSpec& only,
                                               int capacity) {
    AttentionSpec spec = only;
    if (tiles != nullptr) {
        const TextTile& own = tiles[index];
        spec.queries = own.queries;
        spec.keys = own.keys;
        spec.queryStart = own.queryStart;
        spec.keyStart = own.keyStart;
        spec.slot = own.slot;
        spec.tile = own.tile;
        spec.firstPage = own.firstPage;
        spec.capacity = own.capacity;
        spec.statistics = own.statistics;
    } else {
        spec.capacity = capacity > 0 ? capacity : spec.queries;
        spec.statistics = capacity > 0 ? 0 : -spec.position(0);
    }
    return spec;
}

/// Parameters of every attention kernel. tiles is null for one text, with queries and keys; these are not read if there
/// are tiles.
#define ATTENTION_SPEC \
    const TextTile *tiles, int queries, int keys, int heads, int kvHeads, int headDim, float scale, int causal, \
        int window, float softCap
#define ATTENTION_SPEC_VALUE(INDEX, TILE, CAPACITY) \
    attention_spec(tiles, INDEX, \
                   AttentionSpec{queries, keys, heads, kvHeads, headDim, scale, causal, window, softCap, 0, 0, 0, TILE, \
                                 0, 0, 0}, \
                   CAPACITY)

/// The spec of a block that owns a tile of queries: tiles with the most keys come first, so that the last blocks are
/// short.
#define QUERY_TILE_SPEC(CAPACITY) \
    ATTENTION_SPEC_VALUE(blockIdx.x, static_cast<int>(causal != 0 ? gridDim.x - 1 - blockIdx.x : blockIdx.x), CAPACITY)

/// A spec in shared memory, for kernels that have no registers to spare. Synchronises.
__device__ inline const AttentionSpec& shared_spec(const AttentionSpec& own) {
    SHARED(AttentionSpec, spec);
    if (threadIdx.x == 0) {
        spec = own;
    }
    __syncthreads();
    return spec;
}

/// The spec of a block that owns a tile of keys.
#define KEY_TILE_SPEC(CAPACITY) ATTENTION_SPEC_VALUE(blockIdx.x, static_cast<int>(blockIdx.x), CAPACITY)

/// The head widths that kernels are compiled for.
#define FOR_EACH_WIDTH(F) F(16) F(32) F(64) F(80) F(96) F(128) F(256)

/// One head's part of a tensor.
struct HeadRows {
    const float* x; // [rows, stride]
    int stride;
    int rows;

    /// 0 beyond the last row and the head's width.
    __device__ float get(int row, int column, int headDim) const {
        return row < rows && column < headDim ? *at(row, column) : 0;
    }

    /// Four elements from a multiple of 4 on. Tensors are aligned to 16 bytes.
    __device__ Quad quad(int row, int column, int headDim) const {
        Quad own = {};
        if (row < rows && column < headDim) {
            const float* from = at(row, column);
            if (headDim % QUAD == 0) {
                read_chunk(own.of, from);
                return own;
            }
            UNROLL for (int i = 0; i < QUAD; i++) {
                own.of[i] = column + i < headDim ? from[i] : 0;
            }
        }
        return own;
    }

private:
    __device__ const float* at(int row, int column) const {
        return x + static_cast<int64_t>(row) * stride + column;
    }
};

/// One query head and the keys that it reads.
struct Head {
    const AttentionSpec& spec;
    int index;
    const float* q; // [queries, queryStride], from the head's first element on
    const float* k; // [keys, keyStride], from the head's first element on
    int queryStride;
    int keyStride;

    __device__ Head(const AttentionSpec& spec, int head, const float* q, const float* k)
        : spec(spec), index(head), q(q + queryOffset(spec, head)), k(k + keyOffset(spec, head)),
          queryStride(spec.heads * spec.headDim), keyStride(spec.kvHeads * spec.headDim) {}

    /// Offset of a text's head in queries and output.
    static __device__ int64_t queryOffset(const AttentionSpec& spec, int head) {
        return (static_cast<int64_t>(spec.queryStart) * spec.heads + head) * spec.headDim;
    }

    /// Offset of a text's head in keys and values.
    static __device__ int64_t keyOffset(const AttentionSpec& spec, int head) {
        return (static_cast<int64_t>(spec.keyStart) * spec.kvHeads + spec.kvHead(head)) * spec.headDim;
    }

    /// This head's part of a tensor shaped like the queries.
    __device__ HeadRows ofQueries(const float* tensor) const {
        return {tensor + queryOffset(spec, index), queryStride, spec.queries};
    }

    /// This head's part of a tensor shaped like the keys.
    __device__ HeadRows ofKeys(const float* tensor) const {
        return {tensor + keyOffset(spec, index), keyStride, spec.keys};
    }

    __device__ HeadRows ofQueries() const {
        return {q, queryStride, spec.queries};
    }

    __device__ HeadRows ofKeys() const {
        return {k, keyStride, spec.keys};
    }

    __device__ int position(int row) const {
        return spec.position(row);
    }

    /// In units of log 2; BELOW_ALL if the key is masked for the row.
    __device__ float score(int row, int key, float product) const {
        return key < spec.firstKey(row) || key >= spec.endKey(row) ? BELOW_ALL : spec.score(product);
    }
};

/// The rows and columns of a tile that a thread owns.
__device__ inline int tile_row(int r) {
    return threadIdx.x / SIDE + SIDE * r;
}

__device__ inline int tile_column(int c) {
    return threadIdx.x % SIDE + SIDE * c;
}

/// SLICE elements of each row of a tile in shared memory. Eight quads that are written, of two rows, or read, of eight rows,
/// at once lie in different banks.
struct Slice {
    static constexpr int QUADS = SLICE / QUAD;
    static constexpr int TILE = ATTENTION_THREADS / QUADS;

    Quad quads[TILE][QUADS];

    __device__ Quad& at(int row, int quad) {
        return quads[row][quad ^ row / 2 % QUADS];
    }

    /// The quad that a thread copies: its row, and its place in the row.
    static __device__ int row() {
        return recomputed(threadIdx.x) / QUADS;
    }

    static __device__ int quad() {
        return recomputed(threadIdx.x) % QUADS;
    }
};
static_assert(Slice::TILE == QUERY_TILE && Slice::TILE == KEY_TILE, "each thread copies one quad of a slice");

/// Products of every row of a from firstA on with every row of b from firstB on. Synchronises. WIDTH is a multiple of
/// SLICE and at least the head's width.
template <int WIDTH>
__device__ void product_tile(const HeadRows& a, int firstA, const HeadRows& b, int firstB, int headDim,
                             float (&product)[ROWS][COLUMNS]) {
    SHARED(Slice, slice_a);
    SHARED(Slice, slice_b);
    UNROLL for (int r = 0; r < ROWS; r++) {
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            product[r][c] = 0;
        }
    }
    UNROLL_BY(1) for (int depth = 0; depth < WIDTH; depth += SLICE) {
        Quad own_a = a.quad(firstA + Slice::row(), depth + Slice::quad() * QUAD, headDim);
        Quad own_b = b.quad(firstB + Slice::row(), depth + Slice::quad() * QUAD, headDim);
        __syncthreads(); // earlier slices have been read
        slice_a.at(Slice::row(), Slice::quad()) = own_a;
        slice_b.at(Slice::row(), Slice::quad()) = own_b;
        __syncthreads();
        UNROLL_BY(1) for (int quad = 0; quad < Slice::QUADS; quad++) {
            Quad row[ROWS];
            UNROLL for (int r = 0; r < ROWS; r++) {
                row[r] = slice_a.at(tile_row(r), quad);
            }
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                Quad column = slice_b.at(tile_column(c), quad);
                UNROLL for (int r = 0; r < ROWS; r++) {
                    UNROLL for (int i = 0; i < QUAD; i++) {
                        product[r][c] += row[r].of[i] * column.of[i];
                    }
                }
            }
        }
    }
}

/// Scores of the queries from firstRow on and the keys from firstKey on. Synchronises.
template <int WIDTH>
__device__ void score_tile(const Head& head, int firstRow, int firstKey, float (&score)[ROWS][COLUMNS]) {
    product_tile<WIDTH>(head.ofQueries(), firstRow, head.ofKeys(), firstKey, head.spec.headDim, score);
    UNROLL for (int r = 0; r < ROWS; r++) {
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            score[r][c] = head.score(firstRow + tile_row(r), firstKey + tile_column(c), score[r][c]);
        }
    }
}

/// A tile in shared memory, of which threads read columns. One column of padding: two rows lie in different banks.
using Tile = float[QUERY_TILE][KEY_TILE + 1];

/// A tile in shared memory, of which threads read quads of rows: those of eight rows lie in different banks.
using WeightTile = Quad[QUERY_TILE][KEY_TILE / QUAD + 1];

/// Copies the threads' elements into a shared tile. Does not synchronise.
__device__ inline void share(Tile& tile, const float (&own)[ROWS][COLUMNS]) {
    UNROLL for (int r = 0; r < ROWS; r++) {
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            tile[tile_row(r)][tile_column(c)] = own[r][c];
        }
    }
}

__device__ inline void share(WeightTile& weights, const float (&own)[ROWS][COLUMNS]) {
    UNROLL for (int r = 0; r < ROWS; r++) {
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            elements(weights[tile_row(r)])[tile_column(c)] = own[r][c];
        }
    }
}

/// Weights times rows of one head, summed over tiles. A thread owns columns of its rows: pieces of consecutive ones.
template <int WIDTH>
struct WeightedRows {
    static constexpr int OWNED = WIDTH / SIDE;
    static constexpr int TOGETHER = OWNED % QUAD == 0 ? QUAD : OWNED % 2 == 0 ? 2 : 1; // columns of a piece
    static constexpr int QUADS = WIDTH / QUAD;                                         // of a row

    float sum[ROWS][OWNED];

    __device__ WeightedRows() {
        clear();
    }

    __device__ void clear() {
        UNROLL for (int r = 0; r < ROWS; r++) {
            UNROLL for (int c = 0; c < OWNED; c++) {
                sum[r][c] = 0;
            }
        }
    }

    __device__ void scale(int r, float factor) {
        UNROLL for (int c = 0; c < OWNED; c++) {
            sum[r][c] *= factor;
        }
    }

    /// Adds a tile; column c of the weights belongs to row first + c. Synchronises before it reads, not after.
    __device__ void add(const WeightTile& weights, const HeadRows& x, int first, int headDim) {
        SHARED(Quad[SLICE][QUADS], rows);
        UNROLL_BY(1) for (int slice = 0; slice < KEY_TILE; slice += SLICE) {
            __syncthreads(); // the weights are written, earlier rows have been read
            UNROLL for (int i = recomputed(threadIdx.x); i < SLICE * QUADS; i += ATTENTION_THREADS) {
                rows[i / QUADS][i % QUADS] = x.quad(first + slice + i / QUADS, i % QUADS * QUAD, headDim);
            }
            __syncthreads();
            UNROLL_BY(1) for (int quad = 0; quad < SLICE / QUAD; quad++) {
                Quad weight[ROWS];
                UNROLL for (int r = 0; r < ROWS; r++) {
                    weight[r] = weights[tile_row(r)][slice / QUAD + quad];
                }
                UNROLL for (int i = 0; i < QUAD; i++) {
                    UNROLL for (int c = 0; c < OWNED; c++) {
                        float value = elements(rows[quad * QUAD + i])[column(c)];
                        UNROLL for (int r = 0; r < ROWS; r++) {
                            sum[r][c] += weight[r].of[i] * value;
                        }
                    }
                }
            }
        }
    }

    /// Writes the sums to the rows from first on, or adds them; `rows` is the number of rows of the tensor.
    __device__ void write(float* destination, int64_t stride, int first, int rows, int headDim, bool adds = false) const {
        UNROLL for (int r = 0; r < ROWS; r++) {
            int row = first + tile_row(r);
            __syncwarp(); // one row at a time: elements to which sums are added take registers
            UNROLL for (int c = 0; c < OWNED; c++) {
                if (row < rows && column(c) < headDim) {
                    float& element = destination[row * stride + column(c)];
                    element = (adds ? element : 0) + sum[r][c];
                }
            }
        }
    }

private:
    static __device__ int column(int c) {
        return (c / TOGETHER * SIDE + static_cast<int>(threadIdx.x) % SIDE) * TOGETHER + c % TOGETHER;
    }
};

/// Visits every key tile visible to some query from firstRow on, in order. Tiles above the diagonal and before the
/// window are skipped.
template <int WIDTH, class Fold>
__device__ void walk_keys(const Head& head, int firstRow, Fold& fold) {
    int lastRow = min(firstRow + QUERY_TILE, head.spec.queries) - 1;
    int end = head.spec.endKey(lastRow);
    for (int key = head.spec.firstKey(firstRow) / KEY_TILE * KEY_TILE; key < end; key += KEY_TILE) {
        float score[ROWS][COLUMNS];
        score_tile<WIDTH>(head, firstRow, key, score);
        fold.tile(key, score);
    }
}

/// First row of this block's query tile.
__device__ inline int first_row(const AttentionSpec& spec) {
    return spec.tile * QUERY_TILE;
}
