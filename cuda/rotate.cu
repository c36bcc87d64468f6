// Rotary position embedding in place (RoFormer, Su et al. 2021, in the half-split order of GPT-NeoX).
//
//   rotate           (x[j], x[j + r]) = (x[j] cos - x[j + r] sin, x[j + r] cos + x[j] sin)        j < r, in every head
//   rotate_gradient  the same for a gradient, with -sin
//
// In      x [tokens, heads * headDim]; cosine, sine [tokens, r], 2 r <= headDim; fp32
// Out     x, elements j < 2 r of each head; the others are not changed
// Launch  one thread per pair: grid x = ceil(tokens * heads * r / rotate_threads), block rotate_threads
// Cost    16 bytes per pair; the angles are in the cache
// Rounds  fp32, bit-reproducible
// See     Backend.rotate, Gradients.rotate, test/rows_test.cpp, test/rows_gradient_test.cpp
#include "kernel.cuh"

constexpr int THREADS = 256;
EXPORT(rotate_threads, THREADS);

/// direction = 1, or -1 for the inverse rotation.
__device__ static void rotate(float* x, const float* cosine, const float* sine, int tokens, int heads, int headDim,
                              int r, float direction) {
    int64_t pair = element();
    int64_t head = pair / r; // in [tokens, heads]
    if (head >= static_cast<int64_t>(tokens) * heads) {
        return;
    }
    int64_t angle = head / heads * r + pair % r;
    float* first = x + head * headDim + pair % r;
    float* second = first + r;
    float a = *first;
    float b = *second;
    float turn = direction * sine[angle];
    *first = a * cosine[angle] - b * turn;
    *second = b * cosine[angle] + a * turn;
}

KERNEL(rotate_f32, THREADS, float* x, const float* cosine, const float* sine, int tokens, int heads, int headDim,
       int r) {
    rotate(x, cosine, sine, tokens, heads, headDim, r, 1);
}

KERNEL(rotate_gradient_f32, THREADS, float* gradient, const float* cosine, const float* sine, int tokens, int heads,
       int headDim, int r) {
    rotate(gradient, cosine, sine, tokens, heads, headDim, r, -1);
}
