// attention_statistics_16bit.cu for Hopper: the products of one warp group run beside the softmax of three others.
//
// In      q [queries, heads, headDim]; k [keys, kvHeads, headDim], of all texts; bf16 or fp16, as the tensor maps of
//         attention_forward_90a.cu; sinks [heads], fp32, or null; texts, and the tiles of <kernel>_tile queries of all texts
// Out     the new rows of the six statistics [heads, capacity] of each text
// Launch  grid x = tiles, y = heads; block <kernel>_threads; dynamic shared memory <kernel>_shared
// Cost    2 queries keys headDim operations per head, half if causal
// Rounds  the same bits as attention_forward_90a.cu
// See     Backend.attentionStatistics, test/attention_90a_test.cpp
#include "softmax_groups.cuh"

/// Takes the place of an output's sums.
struct NoSums {
    __device__ __forceinline__ void shrink(const float (&)[2]) {}
};

/// Computes the statistics of a warp group's rows from the streamed tiles of keys.
template <class Shape, class T, int WIDTH, bool PLAIN>
__device__ __forceinline__ void observe_rows(const Statistics& statistics, const unsigned char* queries,
                                             const unsigned char* kPool, TileBarriers<Shape::SLOTS>& keys,
                                             const KeyTiles<Shape>& tiles, DiagonalScores<Shape::KEPT>& diagonal,
                                             const float* sinks, const AttentionSpec& spec) {
    int row = group_index() * Shape::ROWS;
    SoftmaxGroup<Shape, PLAIN> softmax(spec, tiles.firstRow, row, diagonal);
    NoSums none;
    SeenTiles seen = tiles.seen(spec, tiles.firstRow + row);
    keys.skip(0, seen.first);
    visit_each(
        seen.first, tiles.count, seen.whole,
        [&](auto how, int i) {
            multiply_tile<Shape, T, WIDTH>(queries + row * Shape::ROW_BYTES, kPool, keys, i,
                                           [&](Registers<float, Shape::PRODUCTS>& s) {
                                               keys.release(i);
                                               softmax.tile(how, tiles.key(i), s, none);
                                           });
        });
    UNROLL for (int r = 0; r < 2; r++) {
        softmax.write(softmax.finish(r, sink_score(sinks, blockIdx.y)), r, statistics, blockIdx.y);
    }
}

template <class Shape, class T, int WIDTH>
__device__ __forceinline__ void attention_statistics(const Statistics& statistics, const TensorMap& q,
                                                     const TensorMap& k, const float* sinks, const AttentionSpec& own) {
    DYNAMIC_SHARED(unsigned char, pool); // queries, slots of keys
    SHARED(Barrier, kept);
    SHARED(TileBarriers<Shape::SLOTS>, keys);
    SHARED(DiagonalScores<Shape::KEPT>, diagonal);
    int head = blockIdx.y;
    if (threadIdx.x == 0) {
        initialise(&kept, 1);
        keys.initialise(Shape::ARRIVALS);
        barriers_initialised();
    }
    const AttentionSpec& spec = shared_spec(own);
    KeyTiles<Shape> tiles(spec);
    unsigned char* kPool = pool + Shape::KEPT_BYTES;
    if (threadIdx.x < GROUP_THREADS) {
        give_registers<Shape::COPY_REGISTERS>();
        if (threadIdx.x == 0) {
            prefetch_map(q);
            prefetch_map(k);
            arrive_expecting(&kept, Shape::KEPT_BYTES);
            load_rows<Shape, Shape::KEPT>(pool, q, &kept, head, spec.queryStart + tiles.firstRow);
            for (int i = 0; i < tiles.count; i++) {
                load_rows<Shape, Shape::TILE>(kPool + i % Shape::SLOTS * Shape::TILE_BYTES, k,
                                              keys.begin(i, Shape::TILE_BYTES), spec.kvHead(head),
                                              spec.keyStart + tiles.key(i));
            }
        }
        return;
    }
    take_registers<Shape::GROUP_REGISTERS>();
    wait_for(&kept, 0);
    if (is_plain(spec)) {
        observe_rows<Shape, T, WIDTH, true>(statistics, pool, kPool, keys, tiles, diagonal, sinks, spec);
    } else {
        observe_rows<Shape, T, WIDTH, false>(statistics, pool, kPool, keys, tiles, diagonal, sinks, spec);
    }
}

template <int WIDTH>
struct StatisticsShape : GroupShape<WIDTH, 4, 3> {
    using Shape = GroupShape<WIDTH, 4, 3>;
    static constexpr int BYTES = Shape::KEPT_BYTES + Shape::SLOTS * Shape::TILE_BYTES;
};

#define ATTENTION_STATISTICS(WIDTH, NAME, T) \
    EXPORT_GROUPS(attention_statistics_90a_##NAME##_d##WIDTH, StatisticsShape<WIDTH>); \
    WIDE_KERNEL(attention_statistics_90a_##NAME##_d##WIDTH, StatisticsShape<WIDTH>::THREADS, STATISTICS, \
                const __grid_constant__ TensorMap q, const __grid_constant__ TensorMap k, const float* sinks, \
                ATTENTION_SPEC, int capacity) { \
        attention_statistics<StatisticsShape<WIDTH>, T, WIDTH>(STATISTICS_VALUE, q, k, sinks, QUERY_TILE_SPEC(capacity)); \
    }
#define BOTH(WIDTH) ATTENTION_STATISTICS(WIDTH, bf16, Bf16) ATTENTION_STATISTICS(WIDTH, f16, F16)
FOR_EACH_GROUP_WIDTH(BOTH)
