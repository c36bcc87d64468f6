// Gradients of attention with respect to keys and values, and column sums of its saliency.
//
//   vGradient_j = sum_i p_ij g_i        kGradient_j = sum_i dL/ds_ij ds_ij/dk_j        see attention_gradient.cuh
//   columns_j = sum_i |p_ij dL/dp_ij|
//
// Keys are the outer loop: a block owns a key tile of one key head and iterates over the query heads that read it, or over
// one of them, and the queries that attend to it, so that no other block writes its sums. Tiles are [keys, queries]. Runs
// after attention_query_gradient.cu, which writes signedSum.
//
// In      gradient, q [queries, heads * headDim]; logSumExp, signedSum [heads, queries]; k, v
//         [keys, kvHeads * headDim]; fp32
// Out     kGradient, vGradient as k; or, with a block per query head, [keys, heads * headDim]: those of each query head,
//         which attention_key_gradient_sum adds up to the same bits; columns [heads, keys] or null; fp32, every element
// Launch  grid x = tiles of attention_key_gradient_key_tile keys, y = kvHeads, or heads;
//         block attention_key_gradient_threads
// Cost    8 queries keys headDim operations per query head, half if causal
// Rounds  fp32, sums in order of heads and queries, bit-reproducible; probabilities as in attention_query_gradient.cu
// See     Gradients.attention, AttentionSaliency.columns, test/attention_gradient_test.cpp
#include "attention_gradient.cuh"

EXPORT(attention_key_gradient_threads, ATTENTION_THREADS);
EXPORT(attention_key_gradient_key_tile, KEY_TILE);

template <int WIDTH>
struct KeyGradient {
    int firstKey;
    WeightedRows<WIDTH> k;
    WeightedRows<WIDTH> v;
    float column[ROWS]; // saliency sums of one query head

    __device__ void clear() {
        k.clear();
        v.clear();
        UNROLL for (int r = 0; r < ROWS; r++) {
            column[r] = 0;
        }
    }

    /// Adds the gradients from the queries from firstRow on.
    __device__ void tile(const Head& head, int firstRow, const HeadRows& gradient, const HeadRows& values,
                         const float* logSumExp, const float* signedSum) {
        SHARED(WeightTile, weights);
        float p[ROWS][COLUMNS];
        float dScore[ROWS][COLUMNS]; // dL/dp, then dL/d(q k')
        int headDim = head.spec.headDim;
        HeadRows queries = head.ofQueries();
        product_tile<WIDTH>(head.ofKeys(), firstKey, queries, firstRow, headDim, p);
        product_tile<WIDTH>(values, firstKey, gradient, firstRow, headDim, dScore);
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            int row = firstRow + tile_column(c);
            float logSum = of_row(logSumExp, head, row);
            float rowSum = of_row(signedSum, head, row);
            UNROLL for (int r = 0; r < ROWS; r++) {
                float score = head.score(row, firstKey + tile_row(r), p[r][c]);
                p[r][c] = probability(score, logSum);
                column[r] += saliency(p[r][c], dScore[r][c]);
                dScore[r][c] = p[r][c] * (dScore[r][c] - rowSum) * slope(head.spec, score);
            }
        }
        share(weights, p);
        v.add(weights, gradient, firstRow, headDim);
        __syncthreads();
        share(weights, dScore);
        k.add(weights, queries, firstRow, headDim);
    }
};

template <int WIDTH>
__device__ void attention_key_gradient(float* kGradient, float* vGradient, float* columns, const float* gradient,
                                       const float* logSumExp, const float* signedSum, const float* q, const float* k,
                                       const float* v, const BlockPlace& place, const AttentionSpec& spec) {
    KeyGradient<WIDTH> sums;
    sums.firstKey = spec.tile * KEY_TILE;
    for (int i = 0; i < heads_of_block(spec); i++) {
        Head head(spec, place.head * heads_of_block(spec) + i, q, k);
        sums.clear();
        int end = head.spec.endRow(sums.firstKey + KEY_TILE - 1);
        for (int row = head.spec.firstRow(sums.firstKey) / QUERY_TILE * QUERY_TILE; row < end; row += QUERY_TILE) {
            sums.tile(head, row, head.ofQueries(gradient), head.ofKeys(v), logSumExp, signedSum);
        }
        UNROLL for (int r = 0; r < ROWS; r++) {
            float total = warp_sum<SIDE>(sums.column[r]);
            int key = sums.firstKey + tile_row(r);
            if (columns != nullptr && tile_column(0) == 0 && key < spec.keys) {
                columns[static_cast<int64_t>(head.index) * spec.keys + key] = total;
            }
        }
        int64_t stride = static_cast<int64_t>(gridDim.y) * spec.headDim;
        int64_t offset = spec.keyStart * stride + place.head * spec.headDim;
        sums.k.write(kGradient + offset, stride, sums.firstKey, spec.keys, spec.headDim, i > 0);
        sums.v.write(vGradient + offset, stride, sums.firstKey, spec.keys, spec.headDim, i > 0);
    }
}

#define ATTENTION_KEY_GRADIENT(WIDTH) \
    WIDE_KERNEL(attention_key_gradient_f32_d##WIDTH, ATTENTION_THREADS, float* kGradient, float* vGradient, \
                float* columns, const float* gradient, const float* logSumExp, const float* signedSum, const float* q, \
                const float* k, const float* v, ATTENTION_SPEC) { \
        BlockPlace place = place_of_block(STREAMED_BYTES<WIDTH>, 1); \
        attention_key_gradient<WIDTH>(kGradient, vGradient, columns, gradient, logSumExp, signedSum, q, k, v, place, \
                                      shared_spec(ATTENTION_SPEC_VALUE(place.tile, place.tile, 0))); \
    }
FOR_EACH_WIDTH(ATTENTION_KEY_GRADIENT)
