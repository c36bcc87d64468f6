// attention_columns.cu for 16-bit queries and keys, on tensor cores: keys stay resident, queries are streamed.
//
// In      logSumExp [heads, capacity], fp32, of these queries; q [queries, heads * headDim];
//         k [keys, kvHeads * headDim]; bf16 or fp16
// Out     columnSum [heads, capacity], fp64: set for the new keys, added to for the first keys - queries keys
// Launch  grid x = tiles of <kernel>_tile keys, y = heads; block <kernel>_threads; dynamic shared memory <kernel>_shared
// Cost    2 queries keys headDim operations per head, half if causal
// Rounds  relative error of a probability: |logSumExp| 2^-23 plus the error of its score; a lane's 16 of a tile are
//         added in fp32, the rest in fp64, in a fixed order; bit-reproducible
// See     Backend.attention, AttentionStatistics.columnSum, test/attention_16bit_test.cpp
#include "attention_tiles.cuh"

/// Added to the scores of a tile's queries so that exp2 gives probabilities; 0 beyond the last query.
template <int WIDTH>
__device__ void load_shifts(float (&shift)[TileShape<WIDTH>::COLUMNS][2], const float* logSumExp,
                            const AttentionSpec& spec, int firstQuery) {
    UNROLL for (int c = 0; c < TileShape<WIDTH>::COLUMNS; c++) {
        UNROLL for (int i = 0; i < 2; i++) {
            int query = firstQuery + lane_column(c, i);
            shift[c][i] = query < spec.queries ? -LOG2_E * logSumExp[spec.position(query)] : BELOW_ALL;
        }
    }
}

/// Scores of the keys from firstKey on, in units of log 2; BELOW_ALL where a key is masked.
template <int WIDTH>
__device__ void mask_columns(const AttentionSpec& spec, int firstKey, int firstQuery, float scale,
                             typename TileShape<WIDTH>::Products& product) {
    UNROLL for (int r = 0; r < TileShape<WIDTH>::ROWS; r++) {
        int key = firstKey + lane_row(r);
        int origin = firstQuery + lane_column(0, 0);
        int first = recomputed(spec.firstRow(key) - origin);
        int end = recomputed(spec.endRow(key) - origin);
        UNROLL for (int c = 0; c < TileShape<WIDTH>::COLUMNS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                float& element = product[r / 2][c][r % 2 * 2 + i];
                element = c * 8 + i >= first && c * 8 + i < end ? element * scale : BELOW_ALL;
            }
        }
    }
}

template <int WIDTH, class T>
__device__ void attention_columns(double* columnSum, const float* logSumExp, const T* q, const T* k,
                                  const AttentionSpec& spec) {
    using Shape = TileShape<WIDTH>;
    DYNAMIC_SHARED(unsigned char, bytes);
    int head = blockIdx.y;
    int kvHead = spec.kvHead(head);
    int firstKey = spec.tile * Shape::KEPT;
    int warpKey = firstKey + warp_row<WIDTH>();
    int64_t base = spec.vector(head);
    int first = spec.firstRow(firstKey) / Shape::TILE * Shape::TILE;
    int end = spec.endRow(min(firstKey + Shape::KEPT, spec.keys) - 1);
    T* pool = reinterpret_cast<T*>(bytes); // [kept + slots * tile, PITCH]

    Stream<T, WIDTH> stream(pool);
    copy_rows<WIDTH, Shape::KEPT>(pool, 0, keys_of(spec, kvHead, k), firstKey);
    RowsOfHead<T> queries = queries_of(spec, head, q);
    stream.begin(queries, first, queries, first + Shape::TILE);
    double sum[Shape::ROWS] = {};
    for (int query = first; query < end; query += Shape::TILE) {
        TileMask mask(spec, query, Shape::TILE, warpKey, Shape::WARP_ROWS);
        float shift[Shape::COLUMNS][2];
        load_shifts<WIDTH>(shift, logSumExp + base, spec, query);
        int tile = stream.arrived();
        stream.follow(query + 2 * Shape::TILE < end, queries, query + 2 * Shape::TILE);
        if (mask.none) {
            continue;
        }
        typename Shape::Products product;
        multiply_tile<T, WIDTH>(product, pool, warp_row<WIDTH>(), tile);
        float scale = spec.scale * LOG2_E;
        if (spec.softCap > 0) {
            soft_cap(spec, product);
            scale = 1;
        }
        if (!mask.all) {
            mask_columns<WIDTH>(spec, warpKey, query, scale, product);
            scale = 1;
        }
        UNROLL for (int r = 0; r < Shape::ROWS; r++) {
            float part = 0;
            UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    part += fast_exp2(fmaf(product[r / 2][c][r % 2 * 2 + i], scale, shift[c][i]));
                }
            }
            sum[r] += part;
        }
    }
    UNROLL for (int r = 0; r < Shape::ROWS; r++) {
        double total = warp_sum<QUAD>(sum[r]);
        int key = warpKey + lane_row(r);
        if (threadIdx.x % QUAD == 0 && key < spec.keys) {
            columnSum[base + key] = (key < spec.position(0) ? columnSum[base + key] : 0) + total;
        }
    }
}

#define ATTENTION_COLUMNS(WIDTH, NAME, T) \
    EXPORT_TILES(attention_columns_##NAME##_d##WIDTH, WIDTH); \
    KERNEL(attention_columns_##NAME##_d##WIDTH, TILE_THREADS, double* columnSum, const float* logSumExp, const T* q, \
           const T* k, ATTENTION_SPEC, int capacity) { \
        attention_columns<WIDTH>(columnSum, logSumExp, q, k, KEY_TILE_SPEC(capacity)); \
    }
#define BOTH(WIDTH) ATTENTION_COLUMNS(WIDTH, bf16, Bf16) ATTENTION_COLUMNS(WIDTH, f16, F16)
FOR_EACH_WIDTH(BOTH)
