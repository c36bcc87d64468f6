// Cross-entropy and its gradient, in place.
//
//   loss_i = - log p[i, targets[i]]        logits[i, w] = factors[i] (p[i, w] - (w == targets[i]))
//
// with p_i the softmax of row i of the logits.
//
// In      logits [rows, words], factors [rows], fp32; targets [rows], int, each in 0 .. words - 1
// Out     loss [rows], nats, and logits, fp32, every element
// Launch  grid x = rows; block min(cross_entropy_threads, words rounded up to 32)
// Cost    8 rows words bytes; later passes over a row hit the cache
// Rounds  fp32, bit-reproducible; expf within 2 ulp
// See     Gradients.crossEntropy, test/rows_gradient_test.cpp
#include "block.cuh"

constexpr int THREADS = 1024;
EXPORT(cross_entropy_threads, THREADS);

KERNEL(cross_entropy_f32, THREADS, float* loss, float* logits, const int* targets, const float* factors, int words) {
    float* row = logits + static_cast<int64_t>(blockIdx.x) * words;
    int target = targets[blockIdx.x];
    float factor = factors[blockIdx.x];
    float largest = row[target];
    for (int word = threadIdx.x; word < words; word += blockDim.x) {
        largest = fmaxf(largest, row[word]);
    }
    largest = block_maximum(largest);
    float below = row[target] - largest; // before any thread writes
    float sum = 0;
    for (int word = threadIdx.x; word < words; word += blockDim.x) {
        sum += expf(row[word] - largest);
    }
    float total = block_sum(sum);
    for (int word = threadIdx.x; word < words; word += blockDim.x) {
        row[word] = factor * (expf(row[word] - largest) / total - (word == target ? 1 : 0));
    }
    if (threadIdx.x == 0) {
        loss[blockIdx.x] = logf(total) - below;
    }
}
