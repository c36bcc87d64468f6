// Online softmax of one row, piece by piece, and its statistics (Milakov and Gimelshein 2018, as in FlashAttention, Dao
// et al. 2022).
//
// With s the scores in units of log 2, m the largest so far and e = exp2(s - m), each lane that shares the row sums
// over its own columns
//
//   sum e        sum e (s - m)        sum e |i - j|
//
// and all of them are rescaled when m increases. No term changes sign, so nothing cancels. The entropy in nats is
//
//   - sum p log p = ln 2 (log2(total) sum e - sum e (s - m)) / total        total = sum e + exp2(sink - m)
#pragma once

#include "attention.cuh"

/// [heads, capacity] each, fp32; see AttentionStatistics.java. All null without statistics; or all but logSumExp, which
/// is then [heads, queries], for the backward pass.
struct Statistics {
    float* logSumExp;
    float* logDiagonal;
    float* entropy;
    float* maximum;
    float* previous;
    float* distance;
};

#define STATISTICS \
    float *logSumExp, float *logDiagonal, float *entropy, float *maximum, float *previous, float *distance
#define STATISTICS_VALUE \
    Statistics { \
        logSumExp, logDiagonal, entropy, maximum, previous, distance \
    }

/// Sums over a row relative to its maximum score, the peak.
struct SoftmaxRow {
    float peak = BELOW_ALL;
    float sum = 0;
    float moment = 0;
    float distance = 0;

    /// Returns the factor by which sums over earlier pieces must be multiplied.
    __device__ float raise(float highest) {
        return raise(highest, exp2f(peak - highest));
    }

    /// The same with the factor, exp2(peak - highest).
    __device__ float raise(float highest, float shrink) {
        float drop = peak - highest;
        moment = shrink * (moment + drop * sum);
        sum *= shrink;
        distance *= shrink;
        peak = highest;
        return shrink;
    }

    /// Combines the parts of LANES neighbouring lanes.
    template <int LANES>
    __device__ void gather() {
        sum = warp_sum<LANES>(sum);
        moment = warp_sum<LANES>(moment);
        distance = warp_sum<LANES>(distance);
    }
};

/// A row after its last piece: exp2(score - row.peak) * inverse is a probability.
struct FinishedRow {
    SoftmaxRow row; // relative to the maximum of the scores and the sink
    float shrink;   // factor for earlier sums
    float peak;     // the largest score
    float inverse;  // 1 / total
    float logTotal; // in units of log 2

    __device__ FinishedRow(const SoftmaxRow& from, float sink) : row(from), peak(from.peak) {
        shrink = row.raise(fmaxf(peak, sink));
        float total = row.sum + exp2f(sink - row.peak);
        inverse = 1 / total;
        logTotal = log2f(total);
    }

    /// own and before are the scores of the query's own token and of the previous one.
    __device__ void write(const Statistics& to, const AttentionSpec& spec, int head, int query, float own,
                          float before) const {
        int64_t at = spec.element(head, query);
        to.logSumExp[at] = (row.peak + logTotal) * LN_2;
        if (to.logDiagonal == nullptr) {
            return;
        }
        to.logDiagonal[at] = (own - row.peak - logTotal) * LN_2;
        to.entropy[at] = (logTotal * row.sum - row.moment) * inverse * LN_2;
        to.maximum[at] = exp2f(peak - row.peak) * inverse;
        to.previous[at] = exp2f(before - row.peak) * inverse;
        to.distance[at] = row.distance * inverse;
    }
};

/// A head's sink score in units of log 2.
__device__ inline float sink_score(const float* sinks, int head) {
    return sinks == nullptr ? BELOW_ALL : sinks[head] * LOG2_E;
}
