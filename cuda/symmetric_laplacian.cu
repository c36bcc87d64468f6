// Normalised Laplacian of attention as an undirected graph: I - D^-1/2 W D^-1/2 for W = (A + A') / 2 and D = diag(W 1),
// see Metric.Symmetric.
//
//   symmetric_scales      scale_i = 1 / sqrt(sum_j W_ij); 0 for a token without weight, an isolated node
//   symmetric_laplacian   matrix_ij = [i = j] - scale_i W_ij scale_j, in place of the map
//   symmetric_moments     trace and sum of squares of each matrix, to check its eigenvalues against
//
// In      map [heads, n, n], fp32, every element
// Out     scales [heads, n], fp32; matrix [heads, n, n], fp32, both triangles; moments [heads, 2], fp64
// Launch  scales: grid x = t = ceil(n / symmetric_laplacian_tile), y = heads; laplacian: grid x = t (t + 1) / 2, y = heads;
//         moments: grid x = heads; block symmetric_laplacian_threads
// Cost    8 bytes per element for the scales, 8 for the matrix, 4 for the moments
// Rounds  sums in fp64, elements in fp32, halved last because half of a subnormal number is not exact; bit-reproducible
// See     CudaBackend.symmetricSpectrum, test/symmetric_spectrum_test.cpp
#include "block.cuh"

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;
constexpr int TILE = 32;
static_assert(TILE == WARP, "lanes stand for columns of a tile");
EXPORT(symmetric_laplacian_threads, THREADS);
EXPORT(symmetric_laplacian_tile, TILE);

/// A block sums a tile of rows and the same columns. Warps divide the rows of a column among them.
KERNEL(symmetric_scales_f32, THREADS, float* scales, const float* map, int n) {
    SHARED(double[TILE], rows);
    SHARED(double[WARPS][TILE], columns);
    int first = static_cast<int>(blockIdx.x) * TILE;
    int lane = static_cast<int>(threadIdx.x) % WARP;
    int warp = static_cast<int>(threadIdx.x) / WARP;
    const float* of = map + static_cast<int64_t>(blockIdx.y) * n * n;
    double sum = 0;
    if (first + lane < n) {
        UNROLL_BY(8) for (int64_t i = warp; i < n; i += WARPS) {
            sum += of[i * n + first + lane];
        }
    }
    columns[warp][lane] = sum;
    for (int row = warp; row < TILE; row += WARPS) {
        sum = 0;
        if (first + row < n) {
            UNROLL_BY(4) for (int64_t j = lane; j < n; j += WARP) {
                sum += of[static_cast<int64_t>(first + row) * n + j];
            }
        }
        sum = warp_sum(sum);
        if (lane == 0) {
            rows[row] = sum;
        }
    }
    __syncthreads();
    if (warp == 0 && first + lane < n) {
        double degree = rows[lane];
        for (int part = 0; part < WARPS; part++) {
            degree += columns[part][lane];
        }
        scales[static_cast<int64_t>(blockIdx.y) * n + first + lane] =
            degree > 0 ? static_cast<float>(1 / sqrt(degree / 2)) : 0;
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
            float twice = below[i / TILE][i % TILE] + above[i % TILE][i / TILE];
            of[row * n + column] = (row == column ? 1.0f : 0.0f) - scale[row] * twice * scale[column] / 2;
        }
        int64_t mirrorRow = firstColumn + i / TILE;
        int64_t mirrorColumn = firstRow + i % TILE;
        if (tileRow != tileColumn && mirrorRow < n && mirrorColumn < n) {
            float twice = below[i % TILE][i / TILE] + above[i / TILE][i % TILE];
            of[mirrorRow * n + mirrorColumn] = -(scale[mirrorRow] * twice * scale[mirrorColumn]) / 2;
        }
    }
}

KERNEL(symmetric_moments_f32, THREADS, double* moments, const float* matrix, int n) {
    const float* of = matrix + static_cast<int64_t>(blockIdx.x) * n * n;
    double trace = 0;
    for (int64_t i = threadIdx.x; i < n; i += THREADS) {
        trace += of[i * n + i];
    }
    double squares = 0;
    UNROLL_BY(8) for (int64_t i = threadIdx.x; i < static_cast<int64_t>(n) * n; i += THREADS) {
        squares += static_cast<double>(of[i]) * of[i];
    }
    trace = block_sum(trace);
    squares = block_sum(squares);
    if (threadIdx.x == 0) {
        moments[2 * blockIdx.x] = trace;
        moments[2 * blockIdx.x + 1] = squares;
    }
}
