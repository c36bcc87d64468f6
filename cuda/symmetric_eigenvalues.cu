// Eigenvalues of symmetric tridiagonal matrices by bisection (Golub and Van Loan 2013, section 8.4.1). The number of
// eigenvalues below x is the number of negative q in
//
//   q_1 = diagonal_1 - x; q_i = diagonal_i - x - offDiagonal_(i-1)^2 / q_(i-1)
//
// A block first counts at equally spaced points of an interval that contains all eigenvalues, which brackets each of its
// own; then neighbouring lanes share an eigenvalue and divide its interval by one point each.
//
// The check compares with the matrix before reduction: the eigenvalues sum to its trace, their squares to the sum of
// squares of its elements.
//
// In      diagonal, offDiagonal [matrices, n], fp32; moments [matrices, 2], fp64, from symmetric_laplacian.cu
// Out     eigenvalues [matrices, n], fp32, ascending; defects [matrices], fp64: the larger of the differences of
//         sum / n and of the root mean square from those of the moments
// Launch  eigenvalues: grid x = ceil(n / symmetric_eigenvalues_block), y = matrices; block symmetric_eigenvalues_threads;
//         dynamic shared memory 8 n bytes, n rounded up to 2. check: grid x = matrices; block
//         symmetric_eigenvalues_threads
// Cost    about 24 n^2 reciprocals per matrix
// Rounds  fp32: absolute error of a few ulp of the largest eigenvalue, as an error of a reciprocal is one of an element of
//         offDiagonal; bit-reproducible
// See     CudaBackend.symmetricSpectrum, test/symmetric_spectrum_test.cpp
#include "block.cuh"
#include "quad.cuh"
#include "tensor_core.cuh"

constexpr int THREADS = 128;
constexpr int LANES = 2; // per eigenvalue
EXPORT(symmetric_eigenvalues_threads, THREADS);
EXPORT(symmetric_eigenvalues_block, THREADS / LANES);

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
        for (int i = threadIdx.x; i < 2 * count; i += THREADS) {
            float before = i > 0 && i < n ? offDiagonal[i - 1] : 0;
            elements(pairs)[2 * i] = i < n ? diagonal[i] : BEYOND;
            elements(pairs)[2 * i + 1] = fmaxf(before * before, LEAST_SQUARE);
        }
    }

    /// The number of eigenvalues below x.
    __device__ int below(float x) const {
        float q = 1;
        int below = 0;
        UNROLL_BY(4) for (int i = 0; i < count; i++) {
            Quad pair = pairs[i];
            q = pair.of[0] - x - pair.of[1] * fast_reciprocal(q);
            below += q < 0;
            q = pair.of[2] - x - pair.of[3] * fast_reciprocal(q);
            below += q < 0;
        }
        return below;
    }
};

KERNEL(symmetric_eigenvalues_f32, THREADS, float* eigenvalues, const float* diagonal, const float* offDiagonal, int n) {
    DYNAMIC_SHARED(Quad, pool);
    SHARED(int[THREADS], counts);
    int64_t base = static_cast<int64_t>(blockIdx.y) * n;
    int thread = static_cast<int>(threadIdx.x);
    Tridiagonal matrix(pool, n);
    matrix.load(diagonal + base, offDiagonal + base, n);
    // Gershgorin's circles contain all eigenvalues.
    float least = INFINITY;
    float most = -INFINITY;
    for (int i = thread; i < n; i += THREADS) {
        float radius = (i > 0 ? fabsf(offDiagonal[base + i - 1]) : 0) + fabsf(offDiagonal[base + i]);
        least = fminf(least, diagonal[base + i] - radius);
        most = fmaxf(most, diagonal[base + i] + radius);
    }
    least = -block_maximum(-least);
    most = block_maximum(most);
    // Rounding in the reduction has destroyed further digits of small eigenvalues.
    float resolution = 0x1p-23f * fmaxf(fabsf(least), fabsf(most));
    float step = (most - least) / (THREADS + 1);
    counts[thread] = matrix.below(least + static_cast<float>(thread + 1) * step);
    __syncthreads();
    int wanted = static_cast<int>(blockIdx.x) * (THREADS / LANES) + thread / LANES;
    if (wanted - thread % WARP / LANES >= n) {
        return; // the whole warp
    }
    int point = 0; // the first whose count exceeds the wanted number
    for (int size = THREADS; size > 0; size /= 2) {
        if (point + size <= THREADS && counts[point + size - 1] <= wanted) {
            point += size;
        }
    }
    float low = least + static_cast<float>(point) * step;
    float high = least + static_cast<float>(point + 1) * step;
    for (float width = step; width > resolution; width /= LANES + 1) {
        float part = (high - low) / (LANES + 1);
        bool above = matrix.below(low + part * static_cast<float>(thread % LANES + 1)) > wanted;
        int under = LANES - warp_sum<LANES>(above ? 1 : 0);
        high = under < LANES ? low + part * static_cast<float>(under + 1) : high;
        low = low + part * static_cast<float>(under);
    }
    if (wanted < n && thread % LANES == 0) {
        eigenvalues[base + wanted] = low + (high - low) / 2;
    }
}

KERNEL(symmetric_check_f32, THREADS, double* defects, const float* eigenvalues, const double* moments, int n) {
    int64_t base = static_cast<int64_t>(blockIdx.x) * n;
    double sum = 0;
    double squares = 0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        sum += eigenvalues[base + i];
        squares += static_cast<double>(eigenvalues[base + i]) * eigenvalues[base + i];
    }
    sum = block_sum(sum);
    squares = block_sum(squares);
    if (threadIdx.x == 0) {
        double trace = moments[2 * blockIdx.x];
        double elements = moments[2 * blockIdx.x + 1];
        defects[blockIdx.x] = fmax(fabs(sum - trace) / n, fabs(sqrt(squares / n) - sqrt(elements / n)));
    }
}
