// attention_map.cu for 16-bit queries and keys, on tensor cores.
//
// In      q [queries, heads * headDim]; k [keys, kvHeads * headDim]; bf16 or fp16; sinks [heads], fp32, or null
// Out     destination [maps, queries, keys], fp32, every element
// Launch  grid x = tiles of <kernel>_tile queries, y = maps; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared
// Cost    4 queries keys headDim operations per map, half if causal: one pass for the sums, one for the probabilities
// Rounds  as in attention_forward_16bit.cu
// See     Backend.attentionMap, SymmetricSpectrum, test/attention_16bit_test.cpp
#include "softmax_tiles.cuh"

template <int WIDTH, class T>
__device__ void attention_map(float* destination, const T* q, const T* k, const float* sinks, const AttentionSpec& spec,
                              int firstHead) {
    using Shape = TileShape<WIDTH>;
    DYNAMIC_SHARED(unsigned char, bytes);
    SHARED(SoftmaxMemory<WIDTH>, memory);
    int head = firstHead + static_cast<int>(blockIdx.y);
    destination += static_cast<int64_t>(blockIdx.y) * spec.queries * spec.keys;
    int firstRow = first_kept_query<WIDTH>(spec);
    T* pool = reinterpret_cast<T*>(bytes); // [kept + slots * tile, PITCH]
    SoftmaxTiles<WIDTH> softmax(spec, firstRow, warp_row<WIDTH>(), memory);
    NoSums none;
    walk_tiles<WIDTH>(spec, head, firstRow, q, k, pool,
                      [&](const TileMask& mask, int key, typename Shape::Products& product) {
                          softmax.tile(mask, key, product, none);
                      });
    // The walk skips keys that are masked for every query.
    int64_t first = static_cast<int64_t>(firstRow) * spec.keys;
    int64_t end = static_cast<int64_t>(min(firstRow + Shape::KEPT, spec.queries)) * spec.keys;
    for (int64_t i = first + threadIdx.x; i < end; i += TILE_THREADS) {
        destination[i] = 0;
    }
    float logSum[Shape::ROWS];
    UNROLL for (int r = 0; r < Shape::ROWS; r++) {
        FinishedRow row = softmax.finish(r, sink_score(sinks, head));
        logSum[r] = row.row.peak + row.logTotal;
    }
    __syncthreads(); // zeros are written, earlier tiles have been read
    walk_tiles<WIDTH>(
        spec, head, firstRow, q, k, pool, [&](const TileMask& mask, int key, typename Shape::Products& product) {
            softmax.score(mask, key, product);
            UNROLL for (int r = 0; r < Shape::ROWS; r++) {
                int query = firstRow + warp_row<WIDTH>() + lane_row(r);
                UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                    UNROLL for (int i = 0; i < 2; i++) {
                        float score = product[r / 2][c][r % 2 * 2 + i];
                        if (query < spec.queries && score > BELOW_ALL) {
                            destination[static_cast<int64_t>(query) * spec.keys + key + lane_column(c, i)] =
                                fast_exp2(score - logSum[r]);
                        }
                    }
                }
            }
        });
}

#define ATTENTION_MAP(WIDTH, NAME, T) \
    EXPORT_TILES(attention_map_##NAME##_d##WIDTH, WIDTH); \
    KERNEL(attention_map_##NAME##_d##WIDTH, TILE_THREADS, float* destination, const T* q, const T* k, \
           const float* sinks, ATTENTION_SPEC, int head) { \
        attention_map<WIDTH>(destination, q, k, sinks, QUERY_TILE_SPEC(0), head); \
    }
#define BOTH(WIDTH) ATTENTION_MAP(WIDTH, bf16, Bf16) ATTENTION_MAP(WIDTH, f16, F16)
FOR_EACH_WIDTH(BOTH)
