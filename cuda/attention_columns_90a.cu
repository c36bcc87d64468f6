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

/// Adds exp2(s scale - logSumExp) of a lane's two keys and its queries. Unless ALL, only the tile's first `queries` queries
/// exist, and what is read of the others is undefined.
template <bool ALL, class Shape>
__device__ __forceinline__ void add_exponentials(double (&sum)[2], Registers<float, Shape::PRODUCTS>& s, float scale,
                                                 const float* logSumExp, int queries) {
    float part[2][2] = {};
    UNROLL for (int c = 0; c < Shape::TILE / 8; c++) {
        UNROLL for (int i = 0; i < 2; i++) {
            int query = c * 8 + group_column() + i;
            float shift = ALL || query < queries ? -LOG2_E * logSumExp[query] : 0;
            UNROLL for (int r = 0; r < 2; r++) {
                part[r][i] += fast_exp2(fmaf(s[4 * c + 2 * r + i], scale, shift));
            }
        }
    }
    sum[0] += part[0][0] + part[0][1];
    sum[1] += part[1][0] + part[1][1];
}

/// Adds the probabilities of a tile of queries to a lane's two keys, the first of which is `key`.
template <class Shape>
__device__ __forceinline__ void add_probabilities(double (&sum)[2], Registers<float, Shape::PRODUCTS>& s,
                                                  const float* logSumExp, const AttentionSpec& spec, int key,
                                                  int firstQuery) {
    int groupKey = key - group_row(0);
    int lastKey = min(groupKey + Shape::ROWS, spec.keys) - 1;
    bool all = firstQuery >= spec.firstRow(lastKey) && firstQuery + Shape::TILE <= spec.endRow(groupKey);
    float scale = spec.scale * LOG2_E;
    if (spec.softCap > 0) {
        soft_cap(spec, s);
        scale = 1;
    }
    if (all) {
        add_exponentials<true, Shape>(sum, s, scale, logSumExp, 0);
    } else {
        UNROLL for (int r = 0; r < 2; r++) {
            int origin = firstQuery + group_column();
            int first = spec.firstRow(key + 8 * r) - origin;
            int end = spec.endRow(key + 8 * r) - origin;
            UNROLL for (int c = 0; c < Shape::TILE / 8; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    float& x = s[4 * c + 2 * r + i];
                    x = c * 8 + i >= first && c * 8 + i < end ? x * scale : BELOW_ALL;
                }
            }
        }
        add_exponentials<false, Shape>(sum, s, 1, logSumExp, spec.queries - firstQuery);
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
    int row = group_index() * Shape::ROWS;
    int key = tiles.firstKey + row + group_row(0);
    double sum[2] = {};
    wait_for(&kept, 0);
    walk_groups<Shape, T, WIDTH>(
        pool + row * Shape::ROW_BYTES, qPool, queries, tiles.count,
        [&](Registers<float, Shape::PRODUCTS>& s, int i) {
            auto logs = reinterpret_cast<const float*>(logPool + i % Shape::SLOTS * Logs::SLOT_BYTES);
            add_probabilities<Shape>(sum, s, logs + boxes.before, spec, key, tiles.query(i));
            __syncwarp(); // all lanes have read the log-sum-exps
            queries.release(i);
        });
    UNROLL for (int r = 0; r < 2; r++) {
        double total = warp_sum<4>(sum[r]);
        int own = key + 8 * r;
        if (threadIdx.x % 4 == 0 && own < spec.keys) {
            columnSum[base + own] = (own < spec.position(0) ? columnSum[base + own] : 0) + total;
        }
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
