// The next token for each row of logits: greedy or nucleus sampling.
//
//   argmax      argmax_w logits[i, w]
//   draw        words sorted by descending weight exp((logits[i, w] - max) / temperature), cut where their cumulative
//               weight reaches topP of the total: the word at the fraction marks[i] of the remaining cumulative weight
//
// Ties go to the lower index. Nucleus sampling: Holtzman et al. 2020, arXiv:1904.09751.
//
// In      logits [rows, words], fp32, no NaN; marks [rows], fp64, in [0, 1); temperature, topP > 0
// Out     destination [rows], int, every element
// Launch  grid x = rows; block min(sample_threads, words rounded up to 32)
// Cost    4 rows words bytes; draw makes about 100 more passes over a row, in the cache, instead of sorting
// Rounds  weights and their sums in fp64, bit-reproducible
// See     Backend.argmax, Backend.draw, test/rows_test.cpp
#include "block.cuh"
#include "quad.cuh"

#include <cstring>

constexpr int THREADS = 512;
constexpr int AT_ONCE = 8; // independent loads: a thread of argmax requests 128 bytes before it waits
EXPORT(sample_threads, THREADS);

/// An integer in the order of the floats; -0 counts as 0.
__device__ static unsigned order_of(float logit) {
    logit = logit == 0 ? 0 : logit;
    unsigned bits;
    memcpy(&bits, &logit, sizeof bits);
    return bits >> 31 ? ~bits : bits | 1u << 31;
}

__device__ static float logit_of(unsigned order) {
    unsigned bits = order >> 31 ? order & ~(1u << 31) : ~order;
    float logit;
    memcpy(&logit, &bits, sizeof logit);
    return logit;
}

/// One row of logits. Methods that reduce over all words synchronise.
struct Row {
    const float* logits;
    int words;
    float largest;
    double temperature;

    __device__ Row(const float* logits, int words, double temperature)
        : logits(logits + static_cast<int64_t>(blockIdx.x) * words), words(words), temperature(temperature) {
        float own = -INFINITY;
        for (int word = threadIdx.x; word < words; word += blockDim.x) {
            own = fmaxf(own, this->logits[word]);
        }
        largest = block_maximum(own);
    }

    __device__ double weight(float logit) const {
        return exp((logit - largest) / temperature);
    }

    /// Total weight of the words whose order is at least this.
    __device__ double weight_from(unsigned least) const {
        double sum = 0;
        for (int word = threadIdx.x; word < words; word += blockDim.x) {
            sum += order_of(logits[word]) >= least ? weight(logits[word]) : 0;
        }
        return block_sum(sum);
    }

    /// How many of the first words have this order.
    __device__ int count(unsigned order, int first) const {
        int sum = 0;
        for (int word = threadIdx.x; word < first; word += blockDim.x) {
            sum += order_of(logits[word]) == order;
        }
        return block_sum(sum);
    }

    /// The word of this order that follows `before` others of the same order.
    __device__ int word(unsigned order, int rank) const;
};

/// The largest integer for which a monotonic condition holds; it must hold for 0.
template <class Condition>
__device__ unsigned largest_where(const Condition& holds) {
    unsigned largest = 0;
    for (unsigned bit = 1u << 31; bit > 0; bit /= 2) {
        if (holds(largest | bit)) {
            largest |= bit;
        }
    }
    return largest;
}

__device__ int Row::word(unsigned order, int rank) const {
    return static_cast<int>(largest_where([&](unsigned first) {
        return first < static_cast<unsigned>(words) && count(order, static_cast<int>(first)) <= rank;
    }));
}

/// The word with the largest logit so far; of several, the first.
struct LargestWord {
    float logit = -INFINITY;
    int word = 0; // if all logits are -INFINITY

    __device__ void take(float other, int at) {
        if (other > logit || (other == logit && at < word)) {
            logit = other;
            word = at;
        }
    }

    /// Combines the words of all lanes of a warp.
    __device__ void gather() {
        for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
            float other = __shfl_xor_sync(ALL_LANES, logit, lanes);
            take(other, __shfl_xor_sync(ALL_LANES, word, lanes));
        }
    }
};

KERNEL(argmax_f32, THREADS, int* destination, const float* logits, int words) {
    SHARED(float[WARP], largest); // [warps]
    SHARED(int[WARP], at);        // [warps]
    int thread = static_cast<int>(threadIdx.x);
    int threads = static_cast<int>(blockDim.x);
    const float* row = logits + static_cast<int64_t>(blockIdx.x) * words;
    // Aligned quads lie between at most three words at each end, which are read one by one.
    int past = static_cast<int>(reinterpret_cast<uintptr_t>(row) % sizeof(Quad) / sizeof(float));
    int first = min((QUAD - past) % QUAD, words);
    int quads = (words - first) / QUAD;
    int edge = thread < first ? thread : thread + quads * QUAD;
    float edgeLogit = edge < words ? row[edge] : -INFINITY;

    LargestWord own;
    for (int from = thread; from < quads; from += threads * AT_ONCE) {
        auto place = [&](int i) { return first + min(from + i * threads, quads - 1) * QUAD; }; // the last quad may repeat
        Quad quad[AT_ONCE];
        UNROLL for (int i = 0; i < AT_ONCE; i++) {
            quad[i] = read_quad(row + place(i));
        }
        float most = -INFINITY;
        UNROLL for (int i = 0; i < AT_ONCE * QUAD; i++) {
            most = fmaxf(most, quad[i / QUAD].of[i % QUAD]);
        }
        if (most > own.logit) { // rarely; a loop with take() alone would not have all quads on their way
            UNROLL for (int i = 0; i < AT_ONCE * QUAD; i++) {
                own.take(quad[i / QUAD].of[i % QUAD], place(i / QUAD) + i % QUAD);
            }
        }
    }
    own.take(edgeLogit, edge);
    own.gather();
    if (thread % WARP == 0) {
        largest[thread / WARP] = own.logit;
        at[thread / WARP] = own.word;
    }
    __syncthreads();
    if (thread < WARP) {
        LargestWord all;
        if (thread < threads / WARP) {
            all = {largest[thread], at[thread]};
        }
        all.gather();
        if (thread == 0) {
            destination[blockIdx.x] = all.word;
        }
    }
}

KERNEL(draw_f32, THREADS, int* destination, const float* logits, const double* marks, double temperature, double topP,
       int words) {
    Row row(logits, words, temperature);

    double least = topP * row.weight_from(0);
    unsigned last = largest_where([&](unsigned order) { return row.weight_from(order) >= least; });
    double above = row.weight_from(last + 1); // no float has the largest integer as its order
    double each = row.weight(logit_of(last));
    double kept = fmin(above + ceil((least - above) / each) * each, row.weight_from(last));

    double place = marks[blockIdx.x] * kept;
    unsigned drawn = largest_where([&](unsigned order) { return row.weight_from(order) > place; });
    double rank = (place - row.weight_from(drawn + 1)) / row.weight(logit_of(drawn));
    int word = row.word(drawn, min(static_cast<int>(rank), row.count(drawn, words) - 1));
    if (threadIdx.x == 0) {
        destination[blockIdx.x] = word;
    }
}
