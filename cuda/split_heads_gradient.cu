// Gradient of split_heads.cu with respect to the joined projections.
//
//   h = the gradient of q or k, rotated back
//   joinedGradient = h, or (w h - n mean(w h n)) / d        n = x / d, d = sqrt(mean of squares + epsilon), w the norm's weight,
//                                                           means over each head or over all heads
//
// In      q, k, v: gradients [rows, heads * headDim] and [rows, kvHeads * headDim]; the others as in split_heads.cu; joined is read
//         only if there are norms; fp32
// Out     joinedGradient as joined, every element
// Launch  grid x = rows * groups, block split_heads_gradient_threads; one warp per head, so groups = ceil((heads + 2 kvHeads) /
//         split_heads_gradient_heads), but 1 if wide
// Cost    the bytes of the gradients, and with norms of joined; further passes over a head hit the cache
// Rounds  fp32, bit-reproducible
// See     Gradients.splitHeads, test/split_heads_test.cpp
#include "split_heads.cuh"

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;
/// Blocks per multiprocessor: with fewer, too few reads are under way.
constexpr int RESIDENT = 4;
EXPORT(split_heads_gradient_threads, THREADS);
EXPORT(split_heads_gradient_heads, WARPS);

/// A head's gradient [headDim], rotated back.
struct TurnedBack {
    const float* gradient;
    const float* cosine; // [r]
    const float* sine;
    int r;

    __device__ float operator[](int column) const {
        if (column < r) {
            return gradient[column] * cosine[column] + gradient[column + r] * sine[column];
        }
        if (column < 2 * r) {
            return gradient[column] * cosine[column - r] - gradient[column - r] * sine[column - r];
        }
        return gradient[column];
    }
};

/// This thread's part of the sum of w h x.
__device__ inline float along(TurnedBack h, const float* weight, const float* x, int width, int thread, int threads) {
    float sum = 0;
    for (int column = thread; column < width; column += threads) {
        sum += weight[column] * h[column] * x[column];
    }
    return sum;
}

/// The norm of one head, or of all heads of q or of k: 1 / d, and mean(w h n).
struct NormOf {
    float inverse;
    float along;
};

/// Of `heads` heads [heads, headDim], by the whole block.
__device__ inline NormOf wide_norm(HeadNorms norms, TurnedBack h, const float* weight, const float* x, int heads, int headDim) {
    int width = heads * headDim;
    float inverse = norms.inverse(block_sum(squares(x, width, threadIdx.x, THREADS)), width);
    float sum = 0;
    for (int head = threadIdx.x / WARP; head < heads; head += WARPS) {
        int64_t first = static_cast<int64_t>(head) * headDim;
        sum += along(TurnedBack{h.gradient + first, h.cosine, h.sine, h.r}, weight + first, x + first, headDim,
                     threadIdx.x % WARP, WARP);
    }
    return {inverse, block_sum(sum) * inverse / width};
}

RESIDENT_KERNEL(split_heads_gradient_f32, THREADS, RESIDENT, float* joinedGradient, const float* q, const float* k,
                const float* v, const float* joined, const float* queryWeight, const float* keyWeight, float epsilon,
                int wide, const float* cosine, const float* sine, int heads, int kvHeads, int headDim, int r, int groups) {
    HeadNorms norms{queryWeight, keyWeight, epsilon, wide != 0};
    int64_t row = blockIdx.x / groups;
    int all = heads + 2 * kvHeads;
    int lane = threadIdx.x % WARP;
    const float* ofQuery = q + row * heads * headDim;
    const float* ofKey = k + row * kvHeads * headDim;
    const float* ofValue = v + row * kvHeads * headDim;
    const float* cosines = cosine + row * r;
    const float* sines = sine + row * r;
    NormOf query{1, 0};
    NormOf key{1, 0};
    if (norms.wide) {
        const float* x = joined + row * all * headDim;
        query = wide_norm(norms, {ofQuery, cosines, sines, r}, queryWeight, x, heads, headDim);
        key = wide_norm(norms, {ofKey, cosines, sines, r}, keyWeight, x + static_cast<int64_t>(heads) * headDim, kvHeads,
                        headDim);
    }
    for (int i = blockIdx.x % groups * WARPS + threadIdx.x / WARP; i < all; i += groups * WARPS) {
        JoinedHead head(i, heads, kvHeads);
        int64_t first = (row * all + i) * headDim;
        TurnedBack h{(head.isQuery ? ofQuery : head.isValue ? ofValue : ofKey) + static_cast<int64_t>(head.index) * headDim,
                     cosines, sines, head.isValue ? 0 : r};
        const float* weight = norms.weight(head, headDim);
        NormOf norm = head.isQuery ? query : key;
        if (weight != nullptr && !norms.wide) {
            norm.inverse = norms.inverse(warp_sum(squares(joined + first, headDim, lane, WARP)), headDim);
            norm.along = warp_sum(along(h, weight, joined + first, headDim, lane, WARP)) * norm.inverse / headDim;
        }
        for (int column = lane; column < headDim; column += WARP) {
            joinedGradient[first + column] =
                weight == nullptr
                    ? h[column]
                    : (weight[column] * h[column] - joined[first + column] * norm.inverse * norm.along) * norm.inverse;
        }
    }
}
