// attention_forward.cu for 16-bit queries, keys and values, on tensor cores.
//
// In      q [queries, heads * headDim]; k, v [keys, kvHeads * headDim]; bf16 or fp16; sinks [heads], fp32, or null
// Out     out [queries, heads * headDim], fp32, or the same in rounded, of the type of q; the other one is null; the
//         statistics as in attention_forward.cu
// Launch  grid x = tiles of <kernel>_tile queries, y = heads; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared
// Cost    4 queries keys headDim operations per head, half if causal; every query tile reads its visible k and v
// Rounds  products are exact and summed in fp32, so the statistics are those of the rounded q and k; exponentials are
//         rounded to 16 bits before they are multiplied by v; bit-reproducible
// See     Backend.attention, test/attention_16bit_test.cpp
#include "softmax_tiles.cuh"

template <int WIDTH, class T>
__device__ void attention_forward(const AttentionOutput<T>& out, const Statistics& statistics, const T* q, const T* k, const T* v,
                                  const float* sinks, const AttentionSpec& spec) {
    using Shape = TileShape<WIDTH>;
    DYNAMIC_SHARED(unsigned char, bytes);
    SHARED(SoftmaxMemory<WIDTH>, memory);
    int head = blockIdx.y;
    int warpRow = warp_row<WIDTH>();
    int firstRow = first_kept_query<WIDTH>(spec);
    T* pool = reinterpret_cast<T*>(bytes); // [kept + slots * tile, PITCH]
    int kvHead = spec.kvHead(head);
    int first = first_tile<WIDTH>(spec, firstRow);
    int end = end_of_keys<WIDTH>(spec, firstRow);

    Stream<T, WIDTH> stream(pool);
    copy_rows<WIDTH, Shape::KEPT>(pool, 0, queries_of(spec, head, q), firstRow);
    stream.begin(keys_of(spec, kvHead, k), first, keys_of(spec, kvHead, v), first);
    SoftmaxTiles<WIDTH> softmax(spec, firstRow, warpRow, memory);
    WeightedTiles<T, WIDTH> weighted;
    for (int key = first; key < end; key += Shape::TILE) {
        bool more = key + Shape::TILE < end;
        TileMask mask(spec, firstRow + warpRow, Shape::WARP_ROWS, key, Shape::TILE);
        Weights<T, WIDTH> weight;
        int tile = stream.arrived();
        stream.follow(more, keys_of(spec, kvHead, k), key + Shape::TILE);
        if (!mask.none) {
            typename Shape::Products product;
            multiply_tile<T, WIDTH>(product, pool, warpRow, tile);
            softmax.tile(mask, key, product, weighted);
            weight.round(product);
        }
        tile = stream.arrived();
        stream.follow(more, keys_of(spec, kvHead, v), key + Shape::TILE);
        if (!mask.none) {
            weighted.add(weight, pool, tile);
        }
    }

    UNROLL for (int r = 0; r < Shape::ROWS; r++) {
        FinishedRow row = softmax.finish(r, sink_score(sinks, head));

        softmax.write(row, r, statistics, head);
        weighted.scale(r, row.shrink * row.inverse);
    }
    if (out.exact != nullptr) {
        weighted.write(out.exact, spec, head, firstRow + warpRow);
    } else {
        weighted.write(out.rounded, spec, head, firstRow + warpRow);
    }
}

#define ATTENTION_FORWARD(WIDTH, NAME, T) \
    EXPORT_TILES(attention_forward_##NAME##_d##WIDTH, WIDTH); \
    KERNEL(attention_forward_##NAME##_d##WIDTH, TILE_THREADS, float* out, T* rounded, STATISTICS, const T* q, \
           const T* k, const T* v, const float* sinks, ATTENTION_SPEC, int capacity) { \
        attention_forward<WIDTH>(AttentionOutput<T>{out, rounded}, STATISTICS_VALUE, q, k, v, sinks, \
                                 shared_spec(QUERY_TILE_SPEC(capacity))); \
    }
#define BOTH(WIDTH) ATTENTION_FORWARD(WIDTH, bf16, Bf16) ATTENTION_FORWARD(WIDTH, f16, F16)
FOR_EACH_WIDTH(BOTH)
