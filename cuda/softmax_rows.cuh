// The softmax of query rows over one key tile after the other, and what is observed on the way (Milakov and Gimelshein
// 2018, as in FlashAttention, Dao et al. 2022).
//
// With s the scores in units of log 2, m the largest so far and e = exp2(s - m), each thread sums over its own columns
//
//   sum e        sum e (s - m)        sum e |i - j|
//
// and all of them shrink alike when m grows. No term changes sign, so nothing cancels. Entropy is, in nats,
//
//   - sum p log p = ln 2 (log2(total) sum e - sum e (s - m)) / total        total = sum e + exp2(sink - m)
#pragma once

#include "attention.cuh"

/// [heads, capacity] each, fp32; see AttentionStatistics.java. All null where nothing is observed; all but logSumExp,
/// then [heads, queries], where that is all that the backward pass needs.
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

class SoftmaxRows {
public:
    __device__ SoftmaxRows(const Head& head, int firstRow) : head(head), firstRow(firstRow) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            peak[r] = own[r] = before[r] = BELOW_ALL;
            sum[r] = moment[r] = distance[r] = 0;
        }
    }

    /// Scores become exp2(score - peak); shrink[r] is what is to become of sums of earlier tiles.
    __device__ void tile(int firstKey, float (&score)[ROWS][COLUMNS]) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            int position = head.position(firstRow + tile_row(r));
            float highest = score[r][0];
            UNROLL for (int c = 1; c < COLUMNS; c++) {
                highest = fmaxf(highest, score[r][c]);
            }
            highest = fmaxf(peak[r], warp_maximum<SIDE>(highest));
            float drop = peak[r] - highest;
            shrink[r] = exp2f(drop);
            moment[r] = shrink[r] * (moment[r] + drop * sum[r]);
            sum[r] *= shrink[r];
            distance[r] *= shrink[r];
            peak[r] = highest;
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                int key = firstKey + tile_column(c);
                own[r] = key == position ? score[r][c] : own[r];
                before[r] = key == position - 1 ? score[r][c] : before[r];
                float below = score[r][c] - highest;
                float exponential = score[r][c] > BELOW_ALL ? exp2f(below) : 0;
                sum[r] += exponential;
                moment[r] += exponential * below;
                distance[r] += exponential * abs(position - key);
                score[r][c] = exponential;
            }
        }
    }

    /// After the last tile. Then exp2(score - shift[r]) * inverse[r] is a probability.
    __device__ void finish(float sink) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            sum[r] = warp_sum<SIDE>(sum[r]);
            moment[r] = warp_sum<SIDE>(moment[r]);
            distance[r] = warp_sum<SIDE>(distance[r]);
            own[r] = warp_maximum<SIDE>(own[r]);
            before[r] = warp_maximum<SIDE>(before[r]);
            shift[r] = fmaxf(peak[r], sink);
            float drop = peak[r] - shift[r];
            shrink[r] = exp2f(drop);
            moment[r] = shrink[r] * (moment[r] + drop * sum[r]);
            sum[r] *= shrink[r];
            distance[r] *= shrink[r];
            float total = sum[r] + exp2f(sink - shift[r]);
            inverse[r] = 1 / total;
            logTotal[r] = log2f(total);
        }
    }

    /// One lane of each row writes, at the row's position in the text; logSumExp alone at the row.
    __device__ void write(const Statistics& to, int headIndex, int64_t capacity) const {
        UNROLL for (int r = 0; r < ROWS; r++) {
            int row = firstRow + tile_row(r);
            if (tile_column(0) != 0 || row >= head.spec.queries) {
                continue;
            }
            bool alone = to.logDiagonal == nullptr;
            int64_t at = alone ? static_cast<int64_t>(headIndex) * head.spec.queries + row
                               : headIndex * capacity + head.position(row);
            to.logSumExp[at] = (shift[r] + logTotal[r]) * LN_2;
            if (alone) {
                continue;
            }
            to.logDiagonal[at] = (own[r] - shift[r] - logTotal[r]) * LN_2;
            to.entropy[at] = (logTotal[r] * sum[r] - moment[r]) * inverse[r] * LN_2;
            to.maximum[at] = exp2f(peak[r] - shift[r]) * inverse[r];
            to.previous[at] = exp2f(before[r] - shift[r]) * inverse[r];
            to.distance[at] = distance[r] * inverse[r];
        }
    }

    float shrink[ROWS];
    float shift[ROWS];
    float inverse[ROWS];

private:
    const Head& head;
    int firstRow;
    float peak[ROWS];
    float sum[ROWS];
    float moment[ROWS];
    float distance[ROWS];
    float own[ROWS];    // the score of the query's own token
    float before[ROWS]; // and of the token before
    float logTotal[ROWS];
};

/// The sink's score of a head in units of log 2.
__device__ inline float sink_score(const float* sinks, int head) {
    return sinks == nullptr ? BELOW_ALL : sinks[head] * LOG2_E;
}
