// Rotary position embedding (RoFormer, Su et al. 2021, in the half-split order of GPT-NeoX).
//
//   rotate_<to>      (y[j], y[j + r]) = (x[j] cos - x[j + r] sin, x[j + r] cos + x[j] sin)        j < r, in every head
//   rotate_gradient  the same for a gradient, in place, with -sin
//
// In      x [tokens, heads * headDim]; cosine, sine [tokens, r], 2 r <= headDim; fp32
// Out     destination as x, fp32, bf16 or fp16; may be x, or the gradient, in place: then pairs = r, and elements j >= 2 r of each
//         head are not changed; otherwise pairs = r + ceil((headDim - 2 r) / 2), and they are copied
// Launch  one thread per pair: grid x = ceil(tokens * heads * pairs / rotate_threads), block rotate_threads
// Cost    the bytes of x and destination; the angles are in the cache
// Rounds  fp32, then once to the destination's type; bit-reproducible
// See     Backend.rotate, Gradients.rotate, test/rows_test.cpp, test/rows_gradient_test.cpp
#include "tensor_core.cuh"

constexpr int THREADS = 256;
EXPORT(rotate_threads, THREADS);

/// direction = 1, or -1 for the inverse rotation.
template <class T>
__device__ void rotate(T* destination, const float* x, const float* cosine, const float* sine, int tokens, int heads,
                       int headDim, int r, int pairs, float direction) {
    int64_t i = element();
    int64_t head = i / pairs; // in [tokens, heads]
    int pair = static_cast<int>(i % pairs);
    if (head >= static_cast<int64_t>(tokens) * heads) {
        return;
    }
    if (pair >= r) {
        int column = 2 * pair;
        for (int end = min(column + 2, headDim); column < end; column++) {
            destination[head * headDim + column] = from_float<T>(x[head * headDim + column]);
        }
        return;
    }
    int64_t angle = head / heads * r + pair;
    int64_t first = head * headDim + pair;
    float a = x[first];
    float b = x[first + r];
    float turn = direction * sine[angle];
    destination[first] = from_float<T>(a * cosine[angle] - b * turn);
    destination[first + r] = from_float<T>(b * cosine[angle] + a * turn);
}

#define ROTATE(to, To) \
    KERNEL(rotate_##to, THREADS, To* destination, const float* x, const float* cosine, const float* sine, int tokens, \
           int heads, int headDim, int r, int pairs) { \
        rotate(destination, x, cosine, sine, tokens, heads, headDim, r, pairs, 1); \
    }

ROTATE(f32, float)
ROTATE(bf16, Bf16)
ROTATE(f16, F16)

KERNEL(rotate_gradient_f32, THREADS, float* gradient, const float* cosine, const float* sine, int tokens, int heads,
       int headDim, int r) {
    rotate(gradient, gradient, cosine, sine, tokens, heads, headDim, r, r, -1);
}
