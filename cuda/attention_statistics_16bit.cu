// attention_statistics.cu for 16-bit queries and keys, on tensor cores.
//
// In      q [queries, heads * headDim]; k [keys, kvHeads * headDim]; bf16 or fp16; sinks [heads], fp32, or null
// Out     the new rows of the six statistics [heads, capacity]
// Launch  grid x = tiles of <kernel>_tile queries, y = heads; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared
// Cost    2 queries keys headDim operations per head, half if causal
// Rounds  the same bits as attention_forward_16bit.cu
// See     Backend.attentionStatistics, test/attention_16bit_test.cpp
#include "softmax_tiles.cuh"

template <int WIDTH, class T>
__device__ void attention_statistics(const Statistics& statistics, const T* q, const T* k, const float* sinks,
                                     const AttentionSpec& spec) {
    using Shape = TileShape<WIDTH>;
    DYNAMIC_SHARED(unsigned char, bytes);
    SHARED(SoftmaxMemory<WIDTH>, memory);
    int head = blockIdx.y;
    int firstRow = first_kept_query<WIDTH>(spec);
    T* pool = reinterpret_cast<T*>(bytes); // [kept + slots * tile, PITCH]
    SoftmaxTiles<WIDTH> softmax(spec, firstRow, warp_row<WIDTH>(), memory);
    NoSums none;
    walk_tiles<WIDTH>(spec, head, firstRow, q, k, pool,
                      [&](const TileMask& mask, int key, typename Shape::Products& product) {
                          softmax.tile(mask, key, product, none);
                      });
    UNROLL for (int r = 0; r < Shape::ROWS; r++) {
        softmax.write(softmax.finish(r, sink_score(sinks, head)), r, statistics, head);
    }
}

#define ATTENTION_STATISTICS(WIDTH, NAME, T) \
    EXPORT_TILES(attention_statistics_##NAME##_d##WIDTH, WIDTH); \
    KERNEL(attention_statistics_##NAME##_d##WIDTH, TILE_THREADS, STATISTICS, const T* q, const T* k, \
           const float* sinks, ATTENTION_SPEC, int capacity) { \
        attention_statistics<WIDTH>(STATISTICS_VALUE, q, k, sinks, QUERY_TILE_SPEC(capacity)); \
    }
#define BOTH(WIDTH) ATTENTION_STATISTICS(WIDTH, bf16, Bf16) ATTENTION_STATISTICS(WIDTH, f16, F16)
FOR_EACH_WIDTH(BOTH)
