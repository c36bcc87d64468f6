// Largest eigenvalues of every head's causal attention graph, descending.
//
//   laplacian               columnSum_i / (tokens - i) - a_ii        (Binkowski et al. 2025, equations 2 and 3)
//   attention_eigenvalues   a_ii
//
// In      logDiagonal, fp32, and columnSum, fp64: [heads, capacity] for each text; tiles [texts], or null for one text
// Out     destination [texts, heads, largest], fp64, the first min(largest, tokens) of each row;
//         workspace [texts, heads, longest], fp64, overwritten; no text has more than longest tokens
// Launch  grid x = heads, y = texts; block min(laplacian_spectrum_threads, tokens rounded up to 32)
// Cost    12 bytes per token and head, then log2(tokens)^2 / 2 passes over 8 tokens bytes in the cache
// Rounds  fp64, bit-reproducible
// See     Metric.java, docs/metrics.md, Backend.measure, test/head_metrics_test.cpp
#include "text_tile.cuh"

constexpr int THREADS = 1024;
EXPORT(laplacian_spectrum_threads, THREADS);

/// Puts the larger value first. Positions beyond the end count as lower than all values and never move.
__device__ static void order(double* values, int count, int first, int second) {
    if (second < count && values[first] < values[second]) {
        double lower = values[first];
        values[first] = values[second];
        values[second] = lower;
    }
}

/// Batcher's bitonic sorting network (1968), descending, in the variant whose comparisons all have the same direction:
/// it sorts any number of values as if padded to a power of two. Called by the whole block; synchronises after each
/// step.
__device__ static void sort(double* values, int count) {
    for (int run = 1; run < count; run *= 2) {
        // two sorted runs, the second reversed, form a bitonic sequence
        for (int i = threadIdx.x; i / run * (2 * run) < count; i += blockDim.x) {
            int base = i / run * (2 * run);
            order(values, count, base + i % run, base + 2 * run - 1 - i % run);
        }
        __syncthreads();
        for (int step = run / 2; step > 0; step /= 2) {
            for (int i = threadIdx.x; i / step * (2 * step) < count; i += blockDim.x) {
                int first = i / step * (2 * step) + i % step;
                order(values, count, first, first + step);
            }
            __syncthreads();
        }
    }
}

struct Laplacian {
    static __device__ double eigenvalue(double diagonal, double columnSum, int rows) {
        return columnSum / rows - diagonal;
    }
};

struct AttentionEigenvalues {
    static __device__ double eigenvalue(double diagonal, double, int) {
        return diagonal;
    }
};

template <class Spectrum>
__device__ void spectrum(double* destination, double* workspace, const float* logDiagonal, const double* columnSum,
                         const TextVectors& text, int largest, int longest) {
    int64_t at = text.of(static_cast<int>(blockIdx.x));
    int64_t row = static_cast<int64_t>(blockIdx.y) * gridDim.x + blockIdx.x;
    int tokens = text.tokens;
    double* values = workspace + row * longest;
    for (int i = threadIdx.x; i < tokens; i += blockDim.x) {
        double diagonal = exp(static_cast<double>(logDiagonal[at + i]));
        values[i] = Spectrum::eigenvalue(diagonal, columnSum[at + i], tokens - i);
    }
    __syncthreads();
    sort(values, tokens);
    int kept = min(largest, tokens);
    for (int i = threadIdx.x; i < kept; i += blockDim.x) {
        destination[row * largest + i] = values[i];
    }
}

#define SPECTRUM(name, Spectrum) \
    KERNEL(name##_f64, THREADS, double* destination, double* workspace, const float* logDiagonal, \
           const double* columnSum, const TextTile* tiles, int tokens, int largest, int capacity, int longest) { \
        spectrum<Spectrum>(destination, workspace, logDiagonal, columnSum, TextVectors(tiles, tokens, capacity), \
                           largest, longest); \
    }

SPECTRUM(laplacian, Laplacian)
SPECTRUM(attention_eigenvalues, AttentionEigenvalues)
