// Gradient of the attention softmax (Dao et al. 2022):
//
//   p_ij = exp(s_ij - logSumExp_i)        dL/dp_ij = g_i v_j'        dL/ds_ij = p_ij (dL/dp_ij - g_i o_i')
//
// with scores s_ij and the gradient g of the output o. Sinks enter logSumExp only.
#pragma once

#include "attention.cuh"
#include "block_place.cuh"

/// Bytes that a tile of each of two streamed tensors takes, in fp32.
template <int WIDTH>
constexpr int STREAMED_BYTES = 2 * QUERY_TILE * WIDTH * static_cast<int>(sizeof(float));

/// The element of a vector [heads, queries] of a row; 0 beyond the last row, where the gradient is 0, too.
__device__ inline float of_row(const float* vector, const Head& head, int row) {
    return row < head.spec.queries ? vector[head.spec.element(head.index, row)] : 0;
}

/// Probability from a score in units of log 2 and the row's logSumExp in nats.
__device__ inline float probability(float score, float logSumExp) {
    return exp2f(score - logSumExp * LOG2_E);
}

/// d score / d (q k'), with the score in nats on the left and in units of log 2 as the argument.
__device__ inline float slope(const AttentionSpec& spec, float score) {
    if (spec.softCap == 0) {
        return spec.scale;
    }
    float tangent = fmaxf(score * (LN_2 / spec.softCap), -1); // BELOW_ALL is far below -softCap
    return spec.scale * (1 - tangent * tangent);
}

/// Query heads that a block of keys sums: gridDim.y is the number of key heads, or of query heads.
__device__ inline int heads_of_block(const AttentionSpec& spec) {
    return spec.heads / static_cast<int>(gridDim.y);
}

/// |p dL/dp|.
__device__ inline float saliency(float probability, float gradient) {
    return probability * fabsf(gradient);
}

/// [heads, queries] each, and groups [heads, queries, groupCount]; null if not requested.
struct Saliency {
    float* rows;
    float* maximum;
    float* groups;
    const int* groupOf; // of the text's keys
    int groupCount;
    int firstSource;
};
