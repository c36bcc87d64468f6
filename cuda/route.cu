// Mixture of experts: routing weights, and the weighted sum of the experts' outputs.
//
//   route      softmax over the `chosen` largest logits of each row, 0 elsewhere; ties go to the lower index
//   add_share  x[i, c] += shares[i, column] * y[i, c]
//
// In      logits, shares [tokens, experts]; y [tokens, width]; fp32
// Out     logits, every element; x [tokens, width], every element
// Launch  route: grid x = tokens, block min(route_threads, experts rounded up to 32);
//         add_share: one thread per element, grid x = ceil(count / route_threads), block route_threads
// Cost    route: experts^2 comparisons per token, values in the cache; add_share: 12 bytes per element
// Rounds  fp32, bit-reproducible
// See     Backend.route, Backend.addShare, test/rows_test.cpp
#include "block.cuh"

constexpr int THREADS = 256;
EXPORT(route_threads, THREADS);

/// Whether expert a ranks before expert b.
__device__ static bool before(float logit_a, int a, float logit_b, int b) {
    return logit_a > logit_b || (logit_a == logit_b && a < b);
}

KERNEL(route_f32, THREADS, float* logits, int chosen, int experts) {
    SHARED(float[2], bounds); // the largest logit and the smallest chosen one
    SHARED(int, last);        // expert of the smallest chosen logit
    float* row = logits + static_cast<int64_t>(blockIdx.x) * experts;
    for (int expert = threadIdx.x; expert < experts; expert += blockDim.x) {
        int rank = 0;
        for (int other = 0; other < experts; other++) {
            rank += before(row[other], other, row[expert], expert);
        }
        if (rank == 0) {
            bounds[0] = row[expert];
        }
        if (rank == chosen - 1) {
            bounds[1] = row[expert];
            last = expert;
        }
    }
    __syncthreads();
    // from here on each thread reads and writes the logits of its own experts only
    float sum = 0;
    for (int expert = threadIdx.x; expert < experts; expert += blockDim.x) {
        bool taken = !before(bounds[1], last, row[expert], expert);
        row[expert] = taken ? expf(row[expert] - bounds[0]) : 0;
        sum += row[expert];
    }
    float total = block_sum(sum);
    for (int expert = threadIdx.x; expert < experts; expert += blockDim.x) {
        row[expert] /= total;
    }
}

KERNEL(add_share_f32, THREADS, float* x, const float* y, const float* shares, int column, int64_t count, int width,
       int experts) {
    int64_t i = element();
    if (i < count) {
        x[i] += shares[i / width * experts + column] * y[i];
    }
}
