// attention_columns_16bit.cu for Hopper: keys stay resident, queries and their log-sum-exps are streamed.
//
// In      logSumExp, fp32, of these queries, as a tensor map of one axis: those of all texts, in boxes of 128 + 4 elements,
//         which begin at a multiple of 4;
//         q [queries, heads, headDim]; k [keys, kvHeads, headDim], of all texts; bf16 or fp16, as tensor maps like those of
//         attention_forward_90a.cu, boxes of k with <kernel>_tile rows; texts, and the tiles of <kernel>_tile keys of all
//         texts. Statistics have fewer than 2^31 elements
// Out     columnSum [heads, capacity] of each text, fp64: set for the new keys, added to for the first keys - queries keys
// Launch  grid x = tiles, y = heads; block <kernel>_threads; dynamic shared memory <kernel>_shared
// Cost    2 queries keys headDim operations per head, half if causal
// Rounds  relative error of a probability: |logSumExp| 2^-23 plus the error of its score; a lane's 32 of a tile are
//         added in fp32, the rest in fp64, in a fixed order; bit-reproducible
// See     Backend.attention, AttentionStatistics.columnSum, test/attention_90a_test.cpp
#include "attention_groups.cuh"

/// Tiles of queries that attend to a block's keys.
template <class Shape>
struct QueryTiles {
    int firstKey;
    int first; // query of the first tile
    int count;

    __device__ __forceinline__ explicit QueryTiles(const AttentionSpec& spec) {
        firstKey = spec.tile * Shape::KEPT;
        first = spec.firstRow(firstKey) / Shape::TILE * Shape::TILE;
        int end = spec.endRow(min(firstKey + Shape::KEPT, spec.keys) - 1);
        count = max(1, (end - first + Shape::TILE - 1) / Shape::TILE);
    }

    __device__ __forceinline__ int query(int i) const {
        return first + i * Shape::TILE;
    }

    /// The tiles that a warp group sees, whose keys start at groupKey.
    __device__ __forceinline__ SeenTiles seen(const AttentionSpec& spec, int groupKey) const {
        int lastKey = min(groupKey + Shape::ROWS, spec.keys) - 1;
        int hidden = max(0, spec.firstRow(groupKey) - first) / Shape::TILE;
        int partial = (max(0, spec.firstRow(lastKey) - first) + Shape::TILE - 1) / Shape::TILE;
        Range whole{partial, (spec.endRow(groupKey) - first) / Shape::TILE};
        if (whole.end <= whole.first) {
            whole = {count, count};
        }
        return {min(hidden, count), whole};
    }
};

/// Boxes of log-sum-exps: a copy begins at a multiple of 16 bytes, up to 3 elements before a tile's first query.
template <class Shape>
struct LogBoxes {
    static constexpr int ALIGNED = 16 / sizeof(float);
    static constexpr int BYTES = (Shape::TILE + ALIGNED) * sizeof(float);
    static constexpr int SLOT_BYTES = (BYTES + 127) / 128 * 128;
    int first;  // element of the first tile's box
    int before; // elements before a tile's first query

    __device__ __forceinline__ explicit LogBoxes(int64_t firstQuery) {
        before = static_cast<int>(firstQuery % ALIGNED);
        first = static_cast<int>(firstQuery - before);
    }
};

/// Probabilities of a warp group's keys, added up over queries.
template <class Shape, bool CAPPED>
class KeyColumns {
public:
    using Products = Registers<float, Shape::PRODUCTS>;

    double sum[2] = {}; // of a lane's two keys

    /// The group's keys start at `row` in the block.
    __device__ __forceinline__ KeyColumns(const AttentionSpec& spec, int firstKey, int row)
        : spec(spec), firstKey(firstKey + row) {}

    __device__ __forceinline__ int key(int r) const {
        return firstKey + group_row(r);
    }

    /// Adds exp2(score - logSumExp) of a tile of queries. What is read of queries beyond the last is undefined.
    template <class Seen>
    __device__ __forceinline__ void add(Seen, Products& s, const float* logSumExp, int firstQuery) {
        float scale = spec.scale * LOG2_E;
        if (CAPPED) {
            soft_cap(spec, s);
            scale = 1;
        }
        if (Seen::PARTIAL) {
            mask(s, scale, firstQuery);
            scale = 1;
        }
        float part[2][2] = {};
        UNROLL for (int c = 0; c < Shape::TILE / 8; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                int query = c * 8 + group_column() + i;
                float shift = !Seen::PARTIAL || firstQuery + query < spec.queries ? -LOG2_E * copied(logSumExp[query]) : 0;
                UNROLL for (int r = 0; r < 2; r++) {
                    part[r][i] += fast_exp2(fmaf(s[4 * c + 2 * r + i], scale, shift));
                }
            }
        }
        sum[0] += part[0][0] + part[0][1];
        sum[1] += part[1][0] + part[1][1];
    }

private:
    /// Scores; BELOW_ALL where a query does not attend to a key.
    __device__ __forceinline__ void mask(Products& s, float scale, int firstQuery) {
        UNROLL for (int r = 0; r < 2; r++) {
            int origin = firstQuery + group_column();
            int first = spec.firstRow(key(r)) - origin;
            int end = spec.endRow(key(r)) - origin;
            UNROLL for (int c = 0; c < Shape::TILE / 8; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    float& x = s[4 * c + 2 * r + i];
                    x = c * 8 + i >= first && c * 8 + i < end ? x * scale : BELOW_ALL;
                }
            }
        }
    }

    const AttentionSpec& spec;
    int firstKey; // of the group
};

/// Column sums of a warp group's keys from the streamed tiles of queries.
template <class Shape, class T, int WIDTH, bool CAPPED>
__device__ __forceinline__ void sum_columns(double* columnSum, const unsigned char* kPool, const unsigned char* qPool,
                                            const unsigned char* logPool, TileBarriers<Shape::SLOTS>& queries,
                                            const QueryTiles<Shape>& tiles, int64_t base, const AttentionSpec& spec) {
    using Logs = LogBoxes<Shape>;
    int row = group_index() * Shape::ROWS;
    KeyColumns<Shape, CAPPED> columns(spec, tiles.firstKey, row);
    SeenTiles seen = tiles.seen(spec, tiles.firstKey + row);
    queries.skip(0, seen.first);
    visit_each(
        seen.first, tiles.count, seen.whole,
        [&](auto how, int i) {
            auto logs = reinterpret_cast<const float*>(logPool + i % Shape::SLOTS * Logs::SLOT_BYTES);
            multiply_tile<Shape, T, WIDTH>(kPool + row * Shape::ROW_BYTES, qPool, queries, i,
                                           [&](Registers<float, Shape::PRODUCTS>& s) {
                                               columns.add(how, s, logs, tiles.query(i));
                                               __syncwarp(); // all lanes have read the log-sum-exps
                                               queries.release(i);
                                           });
        });
    UNROLL for (int r = 0; r < 2; r++) {
        double total = warp_sum<4>(columns.sum[r]);
        int own = columns.key(r);
        if (threadIdx.x % 4 == 0 && own < spec.keys) {
            columnSum[base + own] = (own < spec.position(0) ? columnSum[base + own] : 0) + total;
        }
    }
}

template <class Shape, class T, int WIDTH>
__device__ __forceinline__ void attention_columns(double* columnSum, const TensorMap& logSumExp, const TensorMap& q,
                                                  const TensorMap& k, const AttentionSpec& spec) {
    using Logs = LogBoxes<Shape>;
    DYNAMIC_SHARED(unsigned char, pool); // keys, slots of queries, slots of log-sum-exps
    SHARED(Barrier, kept);
    SHARED(TileBarriers<Shape::SLOTS>, queries);
    int head = blockIdx.y;
    int64_t base = spec.vector(head);
    QueryTiles<Shape> tiles(spec);
    Logs boxes(base + spec.position(tiles.first));
    if (threadIdx.x == 0) {
        initialise(&kept, 1);
        queries.initialise(Shape::ARRIVALS);
        barriers_initialised();
    }
    __syncthreads();
    unsigned char* qPool = pool + Shape::KEPT_BYTES;
    unsigned char* logPool = qPool + Shape::SLOTS * Shape::TILE_BYTES;
    if (threadIdx.x < GROUP_THREADS) {
        give_registers<Shape::COPY_REGISTERS>();
        if (threadIdx.x == 0) {
            prefetch_map(q);
            prefetch_map(k);
            prefetch_map(logSumExp);
            arrive_expecting(&kept, Shape::KEPT_BYTES);
            load_rows<Shape, Shape::KEPT>(pool, k, &kept, spec.kvHead(head), spec.keyStart + tiles.firstKey);
            for (int i = 0; i < tiles.count; i++) {
                int slot = i % Shape::SLOTS;
                Barrier* full = queries.begin(i, Shape::TILE_BYTES + Logs::BYTES);
                load_rows<Shape, Shape::TILE>(qPool + slot * Shape::TILE_BYTES, q, full, head,
                                              spec.queryStart + tiles.query(i));
                load_box(logPool + slot * Logs::SLOT_BYTES, logSumExp, full, boxes.first + i * Shape::TILE);
            }
        }
        return;
    }
    take_registers<Shape::GROUP_REGISTERS>();
    wait_for(&kept, 0);
    const unsigned char* logs = logPool + boxes.before * sizeof(float);
    if (spec.softCap > 0) {
        sum_columns<Shape, T, WIDTH, true>(columnSum, pool, qPool, logs, queries, tiles, base, spec);
    } else {
        sum_columns<Shape, T, WIDTH, false>(columnSum, pool, qPool, logs, queries, tiles, base, spec);
    }
}

template <int WIDTH>
struct ColumnsShape : GroupShape<WIDTH, 3, 4> {
    using Shape = GroupShape<WIDTH, 3, 4>;
    static constexpr int BYTES =
        Shape::KEPT_BYTES + Shape::SLOTS * (Shape::TILE_BYTES + LogBoxes<Shape>::SLOT_BYTES);
};

#define ATTENTION_COLUMNS(WIDTH, NAME, T) \
    EXPORT_GROUPS(attention_columns_90a_##NAME##_d##WIDTH, ColumnsShape<WIDTH>); \
    WIDE_KERNEL(attention_columns_90a_##NAME##_d##WIDTH, ColumnsShape<WIDTH>::THREADS, double* columnSum, \
                const __grid_constant__ TensorMap logSumExp, const __grid_constant__ TensorMap q, \
                const __grid_constant__ TensorMap k, ATTENTION_SPEC, int capacity) { \
        attention_columns<ColumnsShape<WIDTH>, T, WIDTH>(columnSum, logSumExp, q, k, KEY_TILE_SPEC(capacity)); \
    }
#define BOTH(WIDTH) ATTENTION_COLUMNS(WIDTH, bf16, Bf16) ATTENTION_COLUMNS(WIDTH, f16, F16)
FOR_EACH_GROUP_WIDTH(BOTH)
