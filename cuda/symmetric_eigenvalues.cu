// Eigenvalues of symmetric tridiagonal matrices by bisection (bisection.cuh).
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
#include "bisection.cuh"

constexpr int THREADS = 128;
constexpr int LANES = 2; // per eigenvalue
EXPORT(symmetric_eigenvalues_threads, THREADS);
EXPORT(symmetric_eigenvalues_block, THREADS / LANES);

KERNEL(symmetric_eigenvalues_f32, THREADS, float* eigenvalues, const float* diagonal, const float* offDiagonal, int n) {
    DYNAMIC_SHARED(Quad, pool);
    int64_t base = static_cast<int64_t>(blockIdx.y) * n;
    int thread = static_cast<int>(threadIdx.x);
    int wanted = static_cast<int>(blockIdx.x) * (THREADS / LANES) + thread / LANES;
    float found = eigenvalue<THREADS, LANES, 1>(pool, diagonal + base, offDiagonal + base, n, wanted);
    if (wanted < n && thread % LANES == 0) {
        eigenvalues[base + wanted] = found;
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
    write_defect(defects + blockIdx.x, moments + 2 * blockIdx.x, sum, squares, n);
}
