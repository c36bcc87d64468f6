// Gradients of the mixture of experts.
//
//   route_gradient      g_e = s_e (g_e - sum_e' s_e' g_e')        with respect to logits, in place
//   add_share_gradient  yGradient[i, c] = shares[i, column] * gradient[i, c]
//                       shareGradient[i, column] = sum_c gradient[i, c] * y[i, c]
//
// In      shares [tokens, experts]; gradient: route_gradient [tokens, experts],
//         add_share_gradient [tokens, width]; y [tokens, width]; fp32
// Out     gradient, every element; yGradient [tokens, width], every element, may be y; one column of
//         shareGradient [tokens, experts]
// Launch  grid x = tokens; block min(route_gradient_threads, experts rounded up to 32), or
//         min(add_share_gradient_threads, width rounded up to 32)
// Cost    route: 12 tokens experts bytes; add_share: 12 tokens width bytes
// Rounds  fp32, bit-reproducible
// See     Gradients.route, Gradients.addShare, test/rows_gradient_test.cpp
#include "block.cuh"

constexpr int THREADS = 256;
EXPORT(route_gradient_threads, THREADS);
EXPORT(add_share_gradient_threads, THREADS);

KERNEL(route_gradient_f32, THREADS, float* gradient, const float* shares, int experts) {
    int64_t row = static_cast<int64_t>(blockIdx.x) * experts;
    float sum = 0;
    for (int expert = threadIdx.x; expert < experts; expert += blockDim.x) {
        sum += shares[row + expert] * gradient[row + expert];
    }
    float mean = block_sum(sum);
    for (int expert = threadIdx.x; expert < experts; expert += blockDim.x) {
        gradient[row + expert] = shares[row + expert] * (gradient[row + expert] - mean);
    }
}

KERNEL(add_share_gradient_f32, THREADS, float* yGradient, float* shareGradient, const float* gradient, const float* y,
       const float* shares, int column, int width, int experts) {
    int64_t row = static_cast<int64_t>(blockIdx.x) * width;
    int64_t at = static_cast<int64_t>(blockIdx.x) * experts + column;
    float share = shares[at];
    float sum = 0;
    for (int c = threadIdx.x; c < width; c += blockDim.x) {
        float g = gradient[row + c];
        sum += g * y[row + c];
        yGradient[row + c] = share * g;
    }
    float total = block_sum(sum);
    if (threadIdx.x == 0) {
        shareGradient[at] = total;
    }
}
