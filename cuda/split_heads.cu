// What attention reads, from the joined projections of queries, keys and values: q and k after norm and rotation, and v.
//
//   split_heads_<to>   y = x, or x / sqrt(mean of squares + epsilon) * weight        q and k; over each head or over all heads
//                      (y[j], y[j + r]) -> (y[j] cos - y[j + r] sin, y[j + r] cos + y[j] sin)        q and k; j < r
//
// Root mean square normalisation: Zhang and Sennrich 2019. Rotary position embedding: RoFormer, Su et al. 2021, in the half-split
// order of GPT-NeoX.
//
// In      joined [rows, (heads + 2 kvHeads) * headDim]; queryWeight, keyWeight: both null, or [headDim], or if wide is 1
//         [heads * headDim] and [kvHeads * headDim]; cosine, sine [rows, r], 2 r <= headDim, null if r = 0; fp32.
//         places [rows], int: rows of k and v, without repetition; or null: 0, 1, ...
// Out     q [rows, heads * headDim], k and v [.., kvHeads * headDim], of one type: fp32, bf16 or fp16; every element of q, and
//         of these rows of k and v
// Launch  grid x = rows * groups, block split_heads_threads; one warp per head, so groups = ceil((heads + 2 kvHeads) /
//         split_heads_heads), but 1 if wide
// Cost    the bytes of joined and of q, k and v; the second pass over a head hits the cache
// Rounds  fp32, then once to the destinations' type; bit-reproducible
// See     Backend.splitHeads, test/split_heads_test.cpp
#include "split_heads.cuh"
#include "tensor_core.cuh"

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;
EXPORT(split_heads_threads, THREADS);
EXPORT(split_heads_heads, WARPS);

template <class T>
__device__ void split_heads(T* q, T* k, T* v, const float* joined, HeadNorms norms, const float* cosine, const float* sine,
                            const int* places, int heads, int kvHeads, int headDim, int r, int groups) {
    int64_t row = blockIdx.x / groups;
    int64_t place = places == nullptr ? row : places[row];
    int all = heads + 2 * kvHeads;
    int lane = threadIdx.x % WARP;
    const float* in = joined + row * all * headDim;
    float wideQuery = 1;
    float wideKey = 1;
    if (norms.wide) {
        int width = heads * headDim;
        int keyWidth = kvHeads * headDim;
        wideQuery = norms.inverse(block_sum(squares(in, width, threadIdx.x, THREADS)), width);
        wideKey = norms.inverse(block_sum(squares(in + width, keyWidth, threadIdx.x, THREADS)), keyWidth);
    }
    for (int i = blockIdx.x % groups * WARPS + threadIdx.x / WARP; i < all; i += groups * WARPS) {
        JoinedHead head(i, heads, kvHeads);
        const float* x = in + static_cast<int64_t>(i) * headDim;
        T* to = head.isQuery ? q + (row * heads + head.index) * headDim
                             : (head.isValue ? v : k) + (place * kvHeads + head.index) * headDim;
        const float* weight = norms.weight(head, headDim);
        float inverse = head.isQuery ? wideQuery : wideKey;
        if (weight != nullptr && !norms.wide) {
            inverse = norms.inverse(warp_sum(squares(x, headDim, lane, WARP)), headDim);
        }
        auto normal = [&](int column) { return weight == nullptr ? x[column] : x[column] * inverse * weight[column]; };
        int turned = head.isValue ? 0 : r;
        for (int j = lane; j < turned; j += WARP) {
            float a = normal(j);
            float b = normal(j + r);
            float c = cosine[row * r + j];
            float s = sine[row * r + j];
            to[j] = from_float<T>(a * c - b * s);
            to[j + r] = from_float<T>(b * c + a * s);
        }
        for (int column = 2 * turned + lane; column < headDim; column += WARP) {
            to[column] = from_float<T>(normal(column));
        }
    }
}

#define SPLIT_HEADS(name, T) \
    KERNEL(split_heads_##name, THREADS, T* q, T* k, T* v, const float* joined, const float* queryWeight, \
           const float* keyWeight, float epsilon, int wide, const float* cosine, const float* sine, const int* places, \
           int heads, int kvHeads, int headDim, int r, int groups) { \
        split_heads(q, k, v, joined, HeadNorms{queryWeight, keyWeight, epsilon, wide != 0}, cosine, sine, places, heads, \
                    kvHeads, headDim, r, groups); \
    }

SPLIT_HEADS(f32, float)
SPLIT_HEADS(bf16, Bf16)
SPLIT_HEADS(f16, F16)
