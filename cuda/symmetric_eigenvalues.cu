// Eigenvalues of symmetric tridiagonal matrices by bisection (Golub and Van Loan 2013, section 8.4.1). The number of
// eigenvalues below x is the number of negative q in
//
//   q_1 = diagonal_1 - x; q_i = diagonal_i - x - offDiagonal_(i-1)^2 / q_(i-1)
//
// and a check against the matrix before reduction: the eigenvalues sum to its trace, their squares to the sum of
// squares of its elements.
//
// In      diagonal, offDiagonal [matrices, n], fp32; moments [matrices, 2], fp64, from symmetric_laplacian.cu
// Out     eigenvalues [matrices, n], fp32, ascending; defects [matrices], fp64: the larger of the differences of
//         sum / n and of the root mean square from those of the moments
// Launch  eigenvalues: grid x = ceil(n / symmetric_eigenvalues_threads), y = matrices; block
//         symmetric_eigenvalues_threads. check: grid x = matrices; the same block
// Cost    about 25 n^2 divisions per matrix
// Rounds  fp32: absolute error of a few ulp of the largest eigenvalue; bit-reproducible
// See     CudaBackend.symmetricSpectrum, test/symmetric_spectrum_test.cpp
#include "block.cuh"

constexpr int THREADS = 128;
EXPORT(symmetric_eigenvalues_threads, THREADS);

/// Replaces a q so small that dividing by it would overflow.
constexpr float SMALLEST = 1e-30f;

__device__ static int below(const float* diagonal, const float* offDiagonal, int n, float x) {
    float q = 1;
    float square = 0;
    int count = 0;
    for (int i = 0; i < n; i++) {
        q = diagonal[i] - x - square / q;
        q = fabsf(q) < SMALLEST ? -SMALLEST : q;
        count += q < 0;
        square = offDiagonal[i] * offDiagonal[i];
    }
    return count;
}

KERNEL(symmetric_eigenvalues_f32, THREADS, float* eigenvalues, const float* diagonal, const float* offDiagonal, int n) {
    int64_t base = static_cast<int64_t>(blockIdx.y) * n;
    int wanted = static_cast<int>(blockIdx.x * THREADS + threadIdx.x);
    if (wanted >= n) {
        return;
    }
    // Gershgorin's circles contain all eigenvalues.
    float low = diagonal[base];
    float high = diagonal[base];
    float left = 0;
    for (int i = 0; i < n; i++) {
        float radius = left + fabsf(offDiagonal[base + i]);
        low = fminf(low, diagonal[base + i] - radius);
        high = fmaxf(high, diagonal[base + i] + radius);
        left = fabsf(offDiagonal[base + i]);
    }
    // Rounding in the reduction has destroyed further digits of small eigenvalues.
    float resolution = 0x1p-23f * fmaxf(fabsf(low), fabsf(high));
    while (high - low > resolution) {
        float middle = low + (high - low) / 2;
        if (below(diagonal + base, offDiagonal + base, n, middle) > wanted) {
            high = middle;
        } else {
            low = middle;
        }
    }
    eigenvalues[base + wanted] = low + (high - low) / 2;
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
