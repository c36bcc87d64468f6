// The softmax of one row over one piece of its scores after the other, and what is observed on the way (Milakov and
// Gimelshein 2018, as in FlashAttention, Dao et al. 2022).
//
// With s the scores in units of log 2, m the largest so far and e = exp2(s - m), each lane that shares the row sums
// over its own columns
//
//   sum e        sum e (s - m)        sum e |i - j|
//
// and all of them shrink alike when m grows. No term changes sign, so nothing cancels. Entropy is, in nats,
//
//   - sum p log p = ln 2 (log2(total) sum e - sum e (s - m)) / total        total = sum e + exp2(sink - m)
#pragma once

#include "attention.cuh"

/// [heads, capacity] each, fp32; see AttentionStatistics.java. All null where nothing is observed; or all but
/// logSumExp, then [heads, queries], where that is all that the backward pass needs.
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

/// Sums of a row relative to its peak.
struct SoftmaxRow {
    float peak = BELOW_ALL;
    float sum = 0;
    float moment = 0;
    float distance = 0;

    /// Returns what is to become of every sum of earlier pieces.
    __device__ float raise(float highest) {
        float drop = peak - highest;
        float shrink = exp2f(drop);
        moment = shrink * (moment + drop * sum);
        sum *= shrink;
        distance *= shrink;
        peak = highest;
        return shrink;
    }

    /// Makes one row of the parts of LANES neighbouring lanes.
    template <int LANES>
    __device__ void gather() {
        sum = warp_sum<LANES>(sum);
        moment = warp_sum<LANES>(moment);
        distance = warp_sum<LANES>(distance);
    }
};

/// A row after its last piece: exp2(score - row.peak) * inverse is a probability.
struct FinishedRow {
    SoftmaxRow row; // relative to the largest of the scores and the sink
    float shrink;   // of what was summed before
    float peak;     // the largest score
    float inverse;  // of the total
    float logTotal; // in units of log 2

    __device__ FinishedRow(const SoftmaxRow& from, float sink) : row(from), peak(from.peak) {
        shrink = row.raise(fmaxf(peak, sink));
        float total = row.sum + exp2f(sink - row.peak);
        inverse = 1 / total;
        logTotal = log2f(total);
    }

    /// Own and before are the scores of the query's own token and of the one before it.
    __device__ void write(const Statistics& to, const AttentionSpec& spec, int head, int query, int64_t capacity,
                          float own, float before) const {
        bool alone = to.logDiagonal == nullptr;
        int64_t at = alone ? static_cast<int64_t>(head) * spec.queries + query : head * capacity + spec.position(query);
        to.logSumExp[at] = (row.peak + logTotal) * LN_2;
        if (alone) {
            return;
        }
        to.logDiagonal[at] = (own - row.peak - logTotal) * LN_2;
        to.entropy[at] = (logTotal * row.sum - row.moment) * inverse * LN_2;
        to.maximum[at] = exp2f(peak - row.peak) * inverse;
        to.previous[at] = exp2f(before - row.peak) * inverse;
        to.distance[at] = row.distance * inverse;
    }
};

/// The sink's score of a head in units of log 2.
__device__ inline float sink_score(const float* sinks, int head) {
    return sinks == nullptr ? BELOW_ALL : sinks[head] * LOG2_E;
}
