// What attention's backward pass has of every query row, and what passes back through its softmax (Dao et al. 2022):
//
//   p_ij = exp(s_ij - logSumExp_i)        dL/dp_ij = g_i v_j'        dL/ds_ij = p_ij (dL/dp_ij - g_i o_i')
//
// with s_ij the scores, g the gradient of the output o. Sinks take part in logSumExp only.
#pragma once

#include "attention.cuh"

/// The element of a vector [heads, queries] that belongs to a row; 0 beyond the last, whose gradient is 0 as well.
__device__ inline float of_row(const float* vector, const Head& head, int row) {
    return row < head.spec.queries ? vector[static_cast<int64_t>(head.index) * head.spec.queries + row] : 0;
}

/// From a score and the row's logSumExp, which is in nats.
__device__ inline float probability(float score, float logSumExp) {
    return exp2f(score - logSumExp * LOG2_E);
}

/// d score / d (q k'), the score in nats.
__device__ inline float slope(const AttentionSpec& spec, float score) {
    if (spec.softCap == 0) {
        return spec.scale;
    }
    float tangent = fmaxf(score * (LN_2 / spec.softCap), -1); // what is not seen lies far below
    return spec.scale * (1 - tangent * tangent);
}

/// |p dL/dp|.
__device__ inline float saliency(float probability, float gradient) {
    return probability * fabsf(gradient);
}
