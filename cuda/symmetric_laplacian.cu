// Normalised Laplacian of attention as an undirected graph: I - D^-1/2 W D^-1/2 for W = (A + A') / 2 and D = diag(W 1),
// see Metric.Symmetric.
//
//   symmetric_scales      scale_i = 1 / sqrt(sum_j W_ij); 0 for a token without weight, an isolated node
//   symmetric_laplacian   matrix_ij = [i = j] - scale_i W_ij scale_j, in place of the map
//   symmetric_moments     trace and sum of squares of each matrix, to check its eigenvalues against
//
// In      map [heads, n, n], fp32, every element
// Out     scales [heads, n], fp32; matrix [heads, n, n], fp32, both triangles; moments [heads, 2], fp64
// Launch  scales: grid x = n, y = heads, block min(symmetric_laplacian_threads, n rounded up to 32);
//         laplacian: grid x = t (t + 1) / 2 for t = ceil(n / symmetric_laplacian_tile), y = heads, block
//         symmetric_laplacian_threads; moments: grid x = heads, the same block
// Cost    8 bytes per element for the scales, 8 for the matrix, 4 for the moments
// Rounds  sums in fp64, elements in fp32; bit-reproducible
// See     CudaBackend.symmetricSpectrum, test/symmetric_spectrum_test.cpp
#include "block.cuh"

constexpr int THREADS = 256;
constexpr int TILE = 32;
EXPORT(symmetric_laplacian_threads, THREADS);
EXPORT(symmetric_laplacian_tile, TILE);

KERNEL(symmetric_scales_f32, THREADS, float* scales, const float* map, int n) {
    int64_t row = blockIdx.x;
    const float* of = map + static_cast<int64_t>(blockIdx.y) * n * n;
    double weight = 0;
    for (int64_t j = threadIdx.x; j < n; j += blockDim.x) {
        weight += (static_cast<double>(of[row * n + j]) + of[j * n + row]) / 2;
    }
    double degree = block_sum(weight);
    if (threadIdx.x == 0) {
        scales[static_cast<int64_t>(blockIdx.y) * n + row] = degree > 0 ? static_cast<float>(1 / sqrt(degree)) : 0;
    }
}

/// A block owns a tile and its mirror image, so that no other block writes what it reads.
KERNEL(symmetric_laplacian_f32, THREADS, float* matrix, const float* scales, int n) {
    SHARED(float[TILE][TILE + 1], below);
    SHARED(float[TILE][TILE + 1], above); // as in memory: rows are the columns of `below`
    int tileRow = 0;
    int tileColumn = static_cast<int>(blockIdx.x);
    while (tileColumn > tileRow) {
        tileRow++;
        tileColumn -= tileRow;
    }
    int firstRow = tileRow * TILE;
    int firstColumn = tileColumn * TILE;
    float* of = matrix + static_cast<int64_t>(blockIdx.y) * n * n;
    const float* scale = scales + static_cast<int64_t>(blockIdx.y) * n;
    for (int i = threadIdx.x; i < TILE * TILE; i += THREADS) {
        int64_t row = firstRow + i / TILE;
        int64_t column = firstColumn + i % TILE;
        int64_t mirrorRow = firstColumn + i / TILE;
        int64_t mirrorColumn = firstRow + i % TILE;
        below[i / TILE][i % TILE] = row < n && column < n ? of[row * n + column] : 0;
        above[i / TILE][i % TILE] = mirrorRow < n && mirrorColumn < n ? of[mirrorRow * n + mirrorColumn] : 0;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < TILE * TILE; i += THREADS) {
        int64_t row = firstRow + i / TILE;
        int64_t column = firstColumn + i % TILE;
        if (row < n && column < n) {
            float weight = (below[i / TILE][i % TILE] + above[i % TILE][i / TILE]) / 2;
            of[row * n + column] = (row == column ? 1.0f : 0.0f) - scale[row] * weight * scale[column];
        }
        int64_t mirrorRow = firstColumn + i / TILE;
        int64_t mirrorColumn = firstRow + i % TILE;
        if (tileRow != tileColumn && mirrorRow < n && mirrorColumn < n) {
            float weight = (below[i % TILE][i / TILE] + above[i / TILE][i % TILE]) / 2;
            of[mirrorRow * n + mirrorColumn] = -(scale[mirrorRow] * weight * scale[mirrorColumn]);
        }
    }
}

KERNEL(symmetric_moments_f32, THREADS, double* moments, const float* matrix, int n) {
    const float* of = matrix + static_cast<int64_t>(blockIdx.x) * n * n;
    double trace = 0;
    for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
        trace += of[i * n + i];
    }
    double squares = 0;
    for (int64_t i = threadIdx.x; i < static_cast<int64_t>(n) * n; i += blockDim.x) {
        squares += static_cast<double>(of[i]) * of[i];
    }
    trace = block_sum(trace);
    squares = block_sum(squares);
    if (threadIdx.x == 0) {
        moments[2 * blockIdx.x] = trace;
        moments[2 * blockIdx.x + 1] = squares;
    }
}
