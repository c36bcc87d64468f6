// Gradient of attention with respect to the queries, and row statistics of its saliency.
//
//   qGradient_i = sum_j dL/ds_ij ds_ij/dq_i              see attention_gradient.cuh
//   signedSum_i = sum_j p_ij dL/dp_ij = g_i o_i'
//   rows_i = sum_j |p_ij dL/dp_ij|, j >= firstSource      maximum_i = max_j |p_ij dL/dp_ij|, j >= firstSource
//   groups_ig = sum_j |p_ij dL/dp_ij| over all j of group g
//
// Queries are the outer loop: a block owns a query tile and iterates over its visible keys.
//
// In      gradient, out, q [queries, heads * headDim]; logSumExp [heads, queries]; k, v [keys, kvHeads * headDim];
//         groupOf [keys], int, -1 = none; 0 <= firstSource <= keys; fp32
// Out     qGradient as q; signedSum, rows, maximum [heads, queries]; groups [heads, queries, groupCount]; fp32, every
//         element; rows, maximum and groups may be null, all three together
// Launch  grid x = tiles of attention_query_gradient_query_tile queries, y = heads;
//         block attention_query_gradient_threads
// Cost    6 queries keys headDim operations per head, half if causal
// Rounds  fp32, sums in key order, bit-reproducible; relative error of a probability: |logSumExp| 2^-23 plus the error
//         of its score
// See     Gradients.attention, AttentionSaliency, test/attention_gradient_test.cpp
#include "attention_gradient.cuh"

EXPORT(attention_query_gradient_threads, ATTENTION_THREADS);
EXPORT(attention_query_gradient_query_tile, QUERY_TILE);

/// Numbers of a block's rows in shared memory; registers are needed for products.
struct RowMemory {
    Exchanged<float> logSumExp[QUERY_TILE];
    Exchanged<float> mean[QUERY_TILE];   // of dL/dp under the probabilities: signedSum
    float sum[ROWS][ATTENTION_THREADS]; // each thread's part of the saliency
};

/// Row statistics of the saliency of a query tile.
class SaliencyRows {
public:
    __device__ SaliencyRows(const Saliency& to, const Head& head, int firstRow, RowMemory& memory)
        : to(to), head(head), firstRow(firstRow), memory(memory) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            memory.sum[r][threadIdx.x] = maximum[r] = 0;
        }
        for (int i = threadIdx.x; i < QUERY_TILE * to.groupCount; i += ATTENTION_THREADS) {
            if (firstRow + i % QUERY_TILE < head.spec.queries) {
                group(i) = 0;
            }
        }
    }

    __device__ void tile(int firstKey, const float (&saliency)[ROWS][COLUMNS]) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            float sum = memory.sum[r][threadIdx.x];
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                float value = firstKey + tile_column(c) < to.firstSource ? 0 : saliency[r][c];
                sum += value;
                maximum[r] = fmaxf(maximum[r], value);
            }
            memory.sum[r][threadIdx.x] = sum;
        }
    }

    /// Adds the saliency, now in shared memory, to the groups. A thread has the same rows and groups in every tile.
    __device__ void groups(int firstKey, const WeightTile& saliency) {
        int columns = min(KEY_TILE, head.spec.keys - firstKey);
        for (int i = threadIdx.x; i < QUERY_TILE * to.groupCount; i += ATTENTION_THREADS) {
            float total = 0;
            for (int c = 0; c < columns; c += QUAD) {
                Quad own = saliency[i % QUERY_TILE][c / QUAD];
                for (int j = 0; j < min(QUAD, columns - c); j++) {
                    total += to.groupOf[firstKey + c + j] == i / QUERY_TILE ? own.of[j] : 0;
                }
            }
            if (firstRow + i % QUERY_TILE < head.spec.queries) {
                group(i) += total;
            }
        }
    }

    __device__ void write() {
        UNROLL for (int r = 0; r < ROWS; r++) {
            float sum = warp_sum<SIDE>(memory.sum[r][threadIdx.x]);
            maximum[r] = warp_maximum<SIDE>(maximum[r]);
            int row = firstRow + tile_row(r);
            if (tile_column(0) == 0 && row < head.spec.queries) {
                to.rows[at(row)] = sum;
                to.maximum[at(row)] = maximum[r];
            }
        }
    }

private:
    /// Index of a row in [heads, queries].
    __device__ int64_t at(int row) const {
        return static_cast<int64_t>(head.index) * head.spec.queries + row;
    }

    /// The sum of row i % QUERY_TILE and group i / QUERY_TILE.
    __device__ float& group(int i) const {
        return to.groups[at(firstRow + i % QUERY_TILE) * to.groupCount + i / QUERY_TILE];
    }

    const Saliency& to;
    const Head& head;
    int firstRow;
    RowMemory& memory;
    float maximum[ROWS];
};

template <int WIDTH>
struct QueryGradient {
    const Head& head;
    const float* gradient;
    const float* v;
    const Saliency& to;
    int firstRow;
    RowMemory& memory;
    SaliencyRows saliencyRows;
    WeightedRows<WIDTH> sum;

    __device__ QueryGradient(const Head& head, int firstRow, const float* gradient, const float* out,
                             const float* logSumExp, const float* v, const Saliency& to, RowMemory& memory)
        : head(head), gradient(gradient), v(v), to(to), firstRow(firstRow), memory(memory),
          saliencyRows(to, head, firstRow, memory) {
        HeadRows gradients = head.ofQueries(gradient);
        HeadRows outs = head.ofQueries(out);
        int headDim = head.spec.headDim;
        UNROLL for (int r = 0; r < ROWS; r++) {
            int row = firstRow + tile_row(r);
            float product = 0;
            for (int column = tile_column(0); column < headDim; column += SIDE) {
                product += gradients.get(row, column, headDim) * outs.get(row, column, headDim);
            }
            product = warp_sum<SIDE>(product);
            if (tile_column(0) == 0) { // the others read after the first product, which synchronises
                memory.logSumExp[tile_row(r)] = of_row(logSumExp, head, row);
                memory.mean[tile_row(r)] = product;
            }
        }
    }

    __device__ void tile(int firstKey, float (&score)[ROWS][COLUMNS]) {
        SHARED(WeightTile, weights);
        float dScore[ROWS][COLUMNS]; // dL/dp, then dL/d(q k')
        product_tile<WIDTH>(head.ofQueries(gradient), firstRow, head.ofKeys(v), firstKey, head.spec.headDim, dScore);
        UNROLL for (int r = 0; r < ROWS; r++) {
            float logSum = memory.logSumExp[tile_row(r)];
            float mean = memory.mean[tile_row(r)];
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                float p = probability(score[r][c], logSum);
                float factor = slope(head.spec, score[r][c]);
                score[r][c] = saliency(p, dScore[r][c]);
                dScore[r][c] = p * (dScore[r][c] - mean) * factor;
            }
        }
        if (to.rows != nullptr) {
            saliencyRows.tile(firstKey, score);
        }
        if (to.groupCount > 0) {
            share(weights, score);
            __syncthreads();
            saliencyRows.groups(firstKey, weights);
            __syncthreads();
        }
        share(weights, dScore);
        sum.add(weights, head.ofKeys(), firstKey, head.spec.headDim);
    }
};

template <int WIDTH>
__device__ void attention_query_gradient(float* qGradient, float* signedSum, const Saliency& to, const float* gradient,
                                         const float* out, const float* logSumExp, const float* q, const float* k,
                                         const float* v, int headIndex, const AttentionSpec& spec) {
    int firstRow = first_row(spec);
    Head head(spec, headIndex, q, k);
    SHARED(RowMemory, memory);
    QueryGradient<WIDTH> fold(head, firstRow, gradient, out, logSumExp, v, to, memory);
    walk_keys<WIDTH>(head, firstRow, fold);
    fold.sum.write(qGradient + Head::queryOffset(spec, head.index), head.queryStride, firstRow, spec.queries,
                   spec.headDim);
    UNROLL for (int r = 0; r < ROWS; r++) {
        int row = firstRow + tile_row(r);
        if (tile_column(0) == 0 && row < spec.queries) {
            signedSum[spec.element(head.index, row)] = memory.mean[tile_row(r)];
        }
    }
    if (to.rows != nullptr) {
        fold.saliencyRows.write();
    }
}

#define ATTENTION_QUERY_GRADIENT(WIDTH) \
    RESIDENT_KERNEL(attention_query_gradient_f32_d##WIDTH, ATTENTION_THREADS, (WIDTH <= 128 ? 2 : 1), float* qGradient, float* signedSum, \
                float* rows, float* maximum, float* groups, const float* gradient, const float* out, \
                const float* logSumExp, const float* q, const float* k, const float* v, const int* groupOf, \
                ATTENTION_SPEC, int groupCount, int firstSource) { \
        Saliency saliency{rows, maximum, groups, groupOf, groupCount, firstSource}; \
        BlockPlace place = place_of_block(STREAMED_BYTES<WIDTH>, heads / kvHeads); \
        int tile = causal != 0 ? static_cast<int>(gridDim.x) - 1 - place.tile : place.tile; \
        attention_query_gradient<WIDTH>(qGradient, signedSum, saliency, gradient, out, logSumExp, q, k, v, place.head, \
                                        ATTENTION_SPEC_VALUE(place.tile, tile, 0)); \
    }
FOR_EACH_WIDTH(ATTENTION_QUERY_GRADIENT)
