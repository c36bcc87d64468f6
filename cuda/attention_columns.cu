// Column sums of attention: the total probability that every key receives.
//
//   columnSum_j (+)= sum_i exp(s_ij - logSumExp_i)        over the queries of this call
//
// Keys are the outer loop: a block owns a key tile and iterates over the queries that attend to it, so that no other
// block writes its sums. Scores are recomputed from the same queries and keys as in the preceding attention kernel.
//
// In      logSumExp [heads, capacity], fp32, of these queries; q [queries, heads * headDim];
//         k [keys, kvHeads * headDim]
// Out     columnSum [heads, capacity], fp64: set for the new keys, added to for the first keys - queries keys
// Launch  grid x = tiles of attention_columns_key_tile keys, y = heads; block attention_columns_threads
// Cost    2 queries keys headDim operations per head, half if causal
// Rounds  relative error of a probability: |logSumExp| 2^-23 plus the error of its score; groups of 4 are added in
//         fp32, the rest in fp64, in a fixed order; bit-reproducible
// See     Backend.attention, AttentionStatistics.columnSum, test/attention_test.cpp
#include "attention.cuh"

EXPORT(attention_columns_threads, ATTENTION_THREADS);
EXPORT(attention_columns_key_tile, KEY_TILE);

template <int WIDTH>
__device__ void attention_columns(double* columnSum, const float* logSumExp, const float* q, const float* k,
                                  const AttentionSpec& spec) {
    int headIndex = blockIdx.y;
    int firstKey = spec.tile * KEY_TILE;
    Head head(spec, headIndex, q, k);
    int64_t base = spec.vector(headIndex);
    int start = head.spec.firstRow(firstKey);
    int end = head.spec.endRow(firstKey + KEY_TILE - 1);
    double sum[COLUMNS] = {};
    for (int firstRow = start / QUERY_TILE * QUERY_TILE; firstRow < end; firstRow += QUERY_TILE) {
        float score[ROWS][COLUMNS];
        score_tile<WIDTH>(head, firstRow, firstKey, score);
        float column[COLUMNS] = {};
        UNROLL for (int r = 0; r < ROWS; r++) {
            int row = firstRow + tile_row(r);
            float logSum = row < spec.queries ? logSumExp[base + head.position(row)] * LOG2_E : 0;
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                bool visible = row < spec.queries && score[r][c] > BELOW_ALL;
                column[c] += visible ? exp2f(score[r][c] - logSum) : 0;
            }
        }
        UNROLL for (int c = 0; c < COLUMNS; c++) {
            sum[c] += column[c];
        }
    }

    SHARED(double[SIDE][KEY_TILE], sums); // [thread rows, keys]
    UNROLL for (int c = 0; c < COLUMNS; c++) {
        sums[tile_row(0)][tile_column(c)] = sum[c];
    }
    __syncthreads();
    int key = firstKey + static_cast<int>(threadIdx.x);
    if (threadIdx.x < KEY_TILE && key < spec.keys) {
        double total = key < head.position(0) ? columnSum[base + key] : 0;
        for (int row = 0; row < SIDE; row++) {
            total += sums[row][threadIdx.x];
        }
        columnSum[base + key] = total;
    }
}

#define ATTENTION_COLUMNS(WIDTH) \
    KERNEL(attention_columns_f32_d##WIDTH, ATTENTION_THREADS, double* columnSum, const float* logSumExp, \
           const float* q, const float* k, ATTENTION_SPEC, int capacity) { \
        attention_columns<WIDTH>(columnSum, logSumExp, q, k, KEY_TILE_SPEC(capacity)); \
    }
FOR_EACH_WIDTH(ATTENTION_COLUMNS)
