// Metrics per head: the mean over rows first .. tokens - 1 of a function of the head's vectors over tokens.
//
//   attention_score     log a_ii                  entropy         - sum_j a_ij log a_ij
//   normalised_entropy  entropy_i / log(keys visible to a row without window), rows with more than one key
//   sink_share          a_i0                      mean_distance   sum_j a_ij |i - j|
//   previous_token      a_(i, i-1), i >= 1        self_attention  a_ii
//   confidence          max_j a_ij
//
// In      logDiagonal, entropy, maximum, previous, distance, fp32, and columnSum, fp64: [heads, capacity] each, for each
//         text; tiles [texts], or null for one text
// Out     destination [texts, heads], fp64; NaN if there is no row
// Launch  grid x = heads, y = texts; block min(head_fold_threads, tokens rounded up to 32)
// Cost    4 bytes per token and head
// Rounds  fp64, bit-reproducible
// See     Metric.java, docs/metrics.md, Backend.measure, test/head_metrics_test.cpp
#include "block.cuh"
#include "text_tile.cuh"

constexpr int THREADS = 256;
EXPORT(head_fold_threads, THREADS);

/// One head's vectors [tokens].
struct Rows {
    const float* logDiagonal;
    const double* columnSum;
    const float* entropy;
    const float* maximum;
    const float* previous;
    const float* distance;
    int tokens;
    bool causal;

    __device__ int visible(int i) const {
        return causal ? i + 1 : tokens;
    }
};

/// Defaults of most metrics.
struct FromTheFirst {
    static __device__ int first(const Rows&) {
        return 0;
    }
};

struct AttentionScore : FromTheFirst {
    static __device__ double value(const Rows& rows, int i) {
        return rows.logDiagonal[i];
    }
};

struct Entropy : FromTheFirst {
    static __device__ double value(const Rows& rows, int i) {
        return rows.entropy[i];
    }
};

struct NormalisedEntropy {
    static __device__ int first(const Rows& rows) {
        return rows.visible(0) > 1 ? 0 : 1;
    }
    static __device__ double value(const Rows& rows, int i) {
        return rows.entropy[i] / log(static_cast<double>(rows.visible(i)));
    }
};

struct SinkShare : FromTheFirst {
    static __device__ double value(const Rows& rows, int i) {
        return i == 0 ? rows.columnSum[0] : 0; // already summed over rows
    }
};

struct MeanDistance : FromTheFirst {
    static __device__ double value(const Rows& rows, int i) {
        return rows.distance[i];
    }
};

struct PreviousToken {
    static __device__ int first(const Rows&) {
        return 1;
    }
    static __device__ double value(const Rows& rows, int i) {
        return rows.previous[i];
    }
};

struct SelfAttention : FromTheFirst {
    static __device__ double value(const Rows& rows, int i) {
        return exp(static_cast<double>(rows.logDiagonal[i]));
    }
};

struct Confidence : FromTheFirst {
    static __device__ double value(const Rows& rows, int i) {
        return rows.maximum[i];
    }
};

template <class Fold>
__device__ void head_fold(double* destination, const Rows& rows) {
    double sum = 0;
    for (int i = Fold::first(rows) + static_cast<int>(threadIdx.x); i < rows.tokens; i += blockDim.x) {
        sum += Fold::value(rows, i);
    }
    double total = block_sum(sum);
    if (threadIdx.x == 0) {
        destination[blockIdx.y * gridDim.x + blockIdx.x] = total / (rows.tokens - Fold::first(rows));
    }
}

#define HEAD_FOLD(name, Fold) \
    KERNEL(name##_f64, THREADS, double* destination, const float* logDiagonal, const double* columnSum, \
           const float* entropy, const float* maximum, const float* previous, const float* distance, \
           const TextTile* tiles, int tokens, int causal, int capacity) { \
        TextVectors text(tiles, tokens, capacity); \
        int64_t at = text.of(static_cast<int>(blockIdx.x)); \
        head_fold<Fold>(destination, Rows{logDiagonal + at, columnSum + at, entropy + at, maximum + at, previous + at, \
                                          distance + at, text.tokens, causal != 0}); \
    }

HEAD_FOLD(attention_score, AttentionScore)
HEAD_FOLD(entropy, Entropy)
HEAD_FOLD(normalised_entropy, NormalisedEntropy)
HEAD_FOLD(sink_share, SinkShare)
HEAD_FOLD(mean_distance, MeanDistance)
HEAD_FOLD(previous_token, PreviousToken)
HEAD_FOLD(self_attention, SelfAttention)
HEAD_FOLD(confidence, Confidence)
