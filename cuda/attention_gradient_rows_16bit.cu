// Prepares the output's gradient g for the 16-bit kernels of attention's gradient: rounds it, and sums its products with
// the output.
//
//   signedSum_i = g_i o_i' = sum_j p_ij dL/dp_ij
//
// Each row of an fp16 gradient is divided by a power of two, its unit, so that its largest element lies between 2^14 and
// 2^15. For bf16, which has the exponents of fp32, the unit is 1. All results of attention's gradient are those of the
// rounded gradient: an element of the saliency differs from that of the fp32 gradient by at most 2^-8 (bf16) or 2^-11
// (fp16) of p_ij sum_d |g_id v_jd|.
//
// In      gradient, out [queries, heads * headDim]; logSumExp [heads, queries]; fp32
// Out     rounded as gradient, bf16 or fp16: gradient / unit; signedSum [heads, queries], fp32;
//         numbers [heads, queries, 4], fp32, aligned to 16 bytes: RowNumbers of attention_gradient_tiles.cuh
// Launch  grid x = tiles of <kernel>_tile queries, y = heads; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared
// Cost    10 bytes per element
// Rounds  rounded: to nearest; signedSum: fp32, a tree; bit-reproducible
// See     Gradients.attention, test/attention_gradient_16bit_test.cpp
#include "attention_gradient_tiles.cuh"

constexpr int ROW_TILE = 8 * TILE_WARPS;

/// Unit of a row of an fp16 gradient whose largest absolute value is `largest`.
__device__ inline float unit_of(float largest) {
    return ldexpf(1, largest > 0 ? max(ilogbf(largest), -100) - 14 : 0);
}

/// One warp per row. WIDTH is at least headDim.
template <int WIDTH, class T>
__device__ void attention_gradient_rows(T* rounded, float* signedSum, float* numbers, const float* gradient,
                                        const float* out, const float* logSumExp, const AttentionSpec& spec) {
    constexpr int OWNED = (WIDTH + WARP - 1) / WARP;
    int head = blockIdx.y;
    int lane = threadIdx.x % WARP;
    int end = min((spec.tile + 1) * ROW_TILE, spec.queries);
    UNROLL_BY(1) for (int row = spec.tile * ROW_TILE + threadIdx.x / WARP; row < end; row += TILE_WARPS) {
        int64_t first = ((static_cast<int64_t>(spec.queryStart) + row) * spec.heads + head) * spec.headDim;
        float own[OWNED];
        float largest = 0;
        UNROLL for (int i = 0; i < OWNED; i++) {
            int column = i * WARP + lane;
            own[i] = column < spec.headDim ? gradient[first + column] : 0;
            largest = fmaxf(largest, fabsf(own[i]));
        }
        float units = 1;
        float inverse = 1;
        if constexpr (NARROW<T>) {
            units = unit_of(warp_maximum(largest));
            inverse = inverse_power(units);
        }
        float product = 0;
        UNROLL for (int i = 0; i < OWNED; i++) {
            int column = i * WARP + lane;
            if (column < spec.headDim) {
                T element = from_float<T>(own[i] * inverse);
                rounded[first + column] = element;
                product = fmaf(to_float(element), out[first + column], product);
            }
        }
        product = warp_sum(product);
        int64_t at = spec.element(head, row);
        if (lane == 0) {
            signedSum[at] = product * units;
            numbers[4 * at] = -LOG2_E * logSumExp[at];
            numbers[4 * at + 1] = product;
            numbers[4 * at + 2] = units;
            numbers[4 * at + 3] = 0;
        }
    }
}

#define ATTENTION_GRADIENT_ROWS(WIDTH, NAME, T) \
    EXPORT(attention_gradient_rows_##NAME##_d##WIDTH##_threads, TILE_THREADS); \
    EXPORT(attention_gradient_rows_##NAME##_d##WIDTH##_tile, ROW_TILE); \
    EXPORT(attention_gradient_rows_##NAME##_d##WIDTH##_shared, 0); \
    KERNEL(attention_gradient_rows_##NAME##_d##WIDTH, TILE_THREADS, T* rounded, float* signedSum, float* numbers, \
           const float* gradient, const float* out, const float* logSumExp, ATTENTION_SPEC) { \
        attention_gradient_rows<WIDTH>(rounded, signedSum, numbers, gradient, out, logSumExp, QUERY_TILE_SPEC(0)); \
    }
#define BOTH(WIDTH) ATTENTION_GRADIENT_ROWS(WIDTH, bf16, Bf16) ATTENTION_GRADIENT_ROWS(WIDTH, f16, F16)
FOR_EACH_WIDTH(BOTH)
