// Rotary position embedding in place (RoFormer, Su et al. 2021, in the half-split order of GPT-NeoX).
//
//   (x[j], x[j + r]) = (x[j] cos - x[j + r] sin, x[j + r] cos + x[j] sin)        j < r, in every head
//
// In      x [tokens, heads * headDim]; cosine, sine [tokens, r], 2 r <= headDim; fp32
// Out     x, elements j < 2 r of each head; the others stay
// Launch  one thread per pair: grid x = ceil(tokens * heads * r / rotate_threads), block rotate_threads
// Cost    16 bytes a pair, the angles from the cache
// Rounds  fp32, same bits each time
// See     Backend.rotate, test/rows_test.cpp
#include "kernel.cuh"

constexpr int THREADS = 256;
EXPORT(rotate_threads, THREADS);

KERNEL(rotate_f32, THREADS, float* x, const float* cosine, const float* sine, int tokens, int heads, int headDim,
       int r) {
    int64_t pair = element();
    int64_t head = pair / r; // of all heads of all tokens
    if (head >= static_cast<int64_t>(tokens) * heads) {
        return;
    }
    int64_t angle = head / heads * r + pair % r;
    float* first = x + head * headDim + pair % r;
    float* second = first + r;
    float a = *first;
    float b = *second;
    *first = a * cosine[angle] - b * sine[angle];
    *second = b * cosine[angle] + a * sine[angle];
}
