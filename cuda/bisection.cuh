// Eigenvalues of symmetric tridiagonal matrices by bisection (Golub and Van Loan 2013, section 8.4.1). The number of
// eigenvalues below x is the number of negative q in
//
//   q_1 = diagonal_1 - x; q_i = diagonal_i - x - offDiagonal_(i-1)^2 / q_(i-1)
#pragma once

#include "block.cuh"
#include "quad.cuh"
#include "tensor_core.cuh"

/// Replaces smaller squares, so that their product with an infinite reciprocal is defined: if q_(i-1) is 0, q_i is
/// minus infinity and counts in its place.
constexpr float LEAST_SQUARE = 1e-37f;

/// An element of the diagonal beyond the last, which counts as above every x.
constexpr float BEYOND = 1e30f;

/// A tridiagonal matrix in shared memory. Each quad has two elements of the diagonal, each followed by the square of the
/// element before it off the diagonal.
struct Tridiagonal {
    Quad* pairs;
    int count;

    __device__ Tridiagonal(Quad* pairs, int n) : pairs(pairs), count((n + 1) / 2) {}

    /// Called by the whole block, which must synchronise afterwards.
    __device__ void load(const float* diagonal, const float* offDiagonal, int n) const {
        for (int i = threadIdx.x; i < 2 * count; i += blockDim.x) {
            float before = i > 0 && i < n ? offDiagonal[i - 1] : 0;
            elements(pairs)[2 * i] = i < n ? diagonal[i] : BEYOND;
            elements(pairs)[2 * i + 1] = fmaxf(before * before, LEAST_SQUARE);
        }
    }

    /// The number of eigenvalues below each x.
    template <int POINTS>
    __device__ void count_below(int (&below)[POINTS], const float (&x)[POINTS]) const {
        float q[POINTS];
        UNROLL for (int p = 0; p < POINTS; p++) {
            q[p] = 1;
            below[p] = 0;
        }
        UNROLL_BY(4) for (int i = 0; i < count; i++) {
            Quad pair = pairs[i];
            UNROLL for (int half = 0; half < 2; half++) {
                UNROLL for (int p = 0; p < POINTS; p++) {
                    q[p] = pair.of[2 * half] - x[p] - pair.of[2 * half + 1] * fast_reciprocal(q[p]);
                    below[p] += q[p] < 0;
                }
            }
        }
    }
};

/// The eigenvalue at position `wanted`, counted from the smallest, which LANES neighbouring lanes share; 0 beyond the last.
/// The block first counts at equally spaced points of an interval that contains all eigenvalues, which brackets each; then
/// lanes divide the interval of their eigenvalue by POINTS points each. Called by a whole block of THREADS threads, whose
/// eigenvalues follow one another. `pool` is shared memory, a quad for each two rows.
template <int THREADS, int LANES, int POINTS>
__device__ float eigenvalue(Quad* pool, const float* diagonal, const float* offDiagonal, int n, int wanted) {
    constexpr int COUNTS = THREADS * POINTS;
    constexpr int DIVIDING = LANES * POINTS; // points of an eigenvalue
    SHARED(int[COUNTS], counts);
    int thread = static_cast<int>(threadIdx.x);
    Tridiagonal matrix(pool, n);
    matrix.load(diagonal, offDiagonal, n);
    // Gershgorin's circles contain all eigenvalues.
    float least = INFINITY;
    float most = -INFINITY;
    for (int i = thread; i < n; i += THREADS) {
        float radius = (i > 0 ? fabsf(offDiagonal[i - 1]) : 0) + fabsf(offDiagonal[i]);
        least = fminf(least, diagonal[i] - radius);
        most = fmaxf(most, diagonal[i] + radius);
    }
    least = -block_maximum(-least);
    most = block_maximum(most);
    // Rounding in the reduction has destroyed further digits of small eigenvalues.
    float resolution = 0x1p-23f * fmaxf(fabsf(least), fabsf(most));
    float step = (most - least) / (COUNTS + 1);
    float x[POINTS];
    int below[POINTS];
    UNROLL for (int p = 0; p < POINTS; p++) {
        x[p] = least + static_cast<float>(thread * POINTS + p + 1) * step;
    }
    matrix.count_below(below, x);
    UNROLL for (int p = 0; p < POINTS; p++) {
        counts[thread * POINTS + p] = below[p];
    }
    __syncthreads();
    if (wanted - thread % WARP / LANES >= n) {
        return 0; // the whole warp
    }
    int point = 0; // the first whose count exceeds the wanted number
    for (int size = COUNTS; size > 0; size /= 2) {
        if (point + size <= COUNTS && counts[point + size - 1] <= wanted) {
            point += size;
        }
    }
    float low = least + static_cast<float>(point) * step;
    float high = least + static_cast<float>(point + 1) * step;
    for (float width = step; width > resolution; width /= DIVIDING + 1) {
        float part = (high - low) / (DIVIDING + 1);
        UNROLL for (int p = 0; p < POINTS; p++) {
            x[p] = low + part * static_cast<float>(thread % LANES * POINTS + p + 1);
        }
        matrix.count_below(below, x);
        int under = 0;
        UNROLL for (int p = 0; p < POINTS; p++) {
            under += below[p] <= wanted;
        }
        under = warp_sum<LANES>(under);
        high = under < DIVIDING ? low + part * static_cast<float>(under + 1) : high;
        low = low + part * static_cast<float>(under);
    }
    return wanted < n ? low + (high - low) / 2 : 0;
}

/// The larger of the differences of sum / n and of the root mean square between the eigenvalues and the moments of their
/// matrix, its trace and sum of squares. Called by the whole block with the sums of each thread's eigenvalues.
__device__ inline void write_defect(double* defect, const double* moments, double sum, double squares, int n) {
    sum = block_sum(sum);
    squares = block_sum(squares);
    if (threadIdx.x == 0) {
        *defect = fmax(fabs(sum - moments[0]) / n, fabs(sqrt(squares / n) - sqrt(moments[1] / n)));
    }
}
