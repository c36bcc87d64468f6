// Attention of the last queries of a text over all its keys, and what is observed of it, in one pass.
//
//   p_ij = exp(s_ij - logSumExp_i)        s_ij = scale q_i k_j', soft-capped; j seen by i
//   out_i = sum_j p_ij v_j
//   logSumExp_i = log(sum_j exp s_ij + exp sink)      logDiagonal_i = s_ii - logSumExp_i
//   entropy_i = - sum_j p_ij log p_ij                 maximum_i = max_j p_ij
//   previous_i = p_(i, i-1), 0 where it is not seen   distance_i = sum_j p_ij |i - j|
//
// In      q [queries, heads * headDim]; k, v [keys, kvHeads * headDim]; sinks [heads] or null; fp32
// Out     out [queries, heads * headDim]; the statistics [heads, capacity], the new rows; or all six null
// Launch  grid x = ceil(queries / attention_forward_query_tile), y = heads; block attention_forward_threads
// Cost    4 queries keys headDim operations a head, half where causal; every query tile reads what it sees of k and v
// Rounds  fp32, sums in order of the keys; same bits each time. exp2f within 2 units in the last place
// See     Backend.attention, test/attention_test.cpp
#include "softmax_rows.cuh"

EXPORT(attention_forward_threads, ATTENTION_THREADS);
EXPORT(attention_forward_query_tile, QUERY_TILE);

/// out, not yet divided by the sum. A thread owns the columns column + 16 c of its rows.
template <int WIDTH>
struct WeightedValues {
    static constexpr int OWNED = WIDTH / SIDE;

    const Head& head;
    const float* v; // [keys, keyStride], from the head's first element on
    SoftmaxRows rows;
    float sum[ROWS][OWNED];

    __device__ WeightedValues(const Head& head, int firstRow, const float* v) : head(head), v(v), rows(head, firstRow) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            UNROLL for (int c = 0; c < OWNED; c++) {
                sum[r][c] = 0;
            }
        }
    }

    __device__ void tile(int firstKey, float (&score)[ROWS][COLUMNS]) {
        SHARED(float[QUERY_TILE][KEY_TILE + 1], exponentials); // one more column: two rows lie in two banks
        SHARED(float[SLICE][WIDTH], values);
        rows.tile(firstKey, score);
        UNROLL for (int r = 0; r < ROWS; r++) {
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                exponentials[tile_row(r)][tile_column(c)] = score[r][c];
            }
            UNROLL for (int c = 0; c < OWNED; c++) {
                sum[r][c] *= rows.shrink[r];
            }
        }
        for (int slice = 0; slice < KEY_TILE; slice += SLICE) {
            __syncthreads(); // the exponentials are there, the values before have been read
            for (int i = threadIdx.x; i < SLICE * WIDTH; i += ATTENTION_THREADS) {
                int key = firstKey + slice + i / WIDTH;
                int column = i % WIDTH;
                values[i / WIDTH][column] =
                    key < head.spec.keys && column < head.spec.headDim ? v[key * head.keyStride + column] : 0;
            }
            __syncthreads();
            for (int key = 0; key < SLICE; key++) {
                UNROLL for (int r = 0; r < ROWS; r++) {
                    float exponential = exponentials[tile_row(r)][slice + key];
                    UNROLL for (int c = 0; c < OWNED; c++) {
                        sum[r][c] += exponential * values[key][tile_column(c)];
                    }
                }
            }
        }
    }
};

template <int WIDTH>
__device__ void attention_forward(float* out, const Statistics& statistics, const float* q, const float* k,
                                  const float* v, const float* sinks, const AttentionSpec& spec, int capacity) {
    int headIndex = blockIdx.y;
    int firstRow = first_row(spec);
    Head head(spec, headIndex, q, k);
    WeightedValues<WIDTH> values(head, firstRow, v + Head::keyOffset(spec, headIndex));
    walk_keys<WIDTH>(head, firstRow, values);
    values.rows.finish(sink_score(sinks, headIndex));
    if (statistics.logSumExp != nullptr) {
        values.rows.write(statistics, headIndex, capacity);
    }
    UNROLL for (int r = 0; r < ROWS; r++) {
        int row = firstRow + tile_row(r);
        float factor = values.rows.shrink[r] * values.rows.inverse[r];
        UNROLL for (int c = 0; c < WeightedValues<WIDTH>::OWNED; c++) {
            if (row < spec.queries && tile_column(c) < spec.headDim) {
                out[row * head.queryStride + Head::queryOffset(spec, headIndex) + tile_column(c)] =
                    values.sum[r][c] * factor;
            }
        }
    }
}

#define ATTENTION_FORWARD(WIDTH) \
    KERNEL(attention_forward_f32_d##WIDTH, ATTENTION_THREADS, float* out, STATISTICS, const float* q, const float* k, \
           const float* v, const float* sinks, ATTENTION_SPEC, int capacity) { \
        attention_forward<WIDTH>(out, STATISTICS_VALUE, q, k, v, sinks, ATTENTION_SPEC_VALUE, capacity); \
    }
FOR_EACH_WIDTH(ATTENTION_FORWARD)
