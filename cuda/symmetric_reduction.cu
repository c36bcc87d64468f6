// Reduction of symmetric matrices to tridiagonal form by Householder reflections (Golub and Van Loan 2013, section
// 8.3.1), which preserve eigenvalues. Step k, with x the column below the diagonal:
//
//   v = x - beta e_1, scaled to v_1 = 1; beta = -sign(x_1) |x|; tau = (beta - x_1) / beta
//   y = tau A v; w = y - (tau / 2) (y . v) v; A -= v w' + w v'
//
// Three variants, by matrix size n:
//   symmetric_warp      n <= 32: one matrix per warp, in registers
//   symmetric_block     one matrix per block, in shared memory: n (n | 1) + 2 n floats and symmetric_block_static
//   bytes;
//                       157 rows in 99 KB, 239 in 227 KB
//   symmetric_reflect, symmetric_multiply, symmetric_correct for each k, then symmetric_update after each panel of
//   symmetric_reduction_panel steps: matrices stay in global memory, are read once per step and written once per panel
//   (Dongarra, Sorensen and Hammarling 1989, as LAPACK's latrd)
//
// In      matrix [matrices, n, n], fp32, both triangles; the panel variant overwrites it
// Out     diagonal, offDiagonal [matrices, n], fp32; the last element of offDiagonal is 0
// Scratch v, w [matrices, panel, n]; y [matrices, n]; tau [matrices], fp32
// Launch  warp: grid x = ceil(matrices / symmetric_reduction_warps); block symmetric_reduction_threads;
//         block: grid x = matrices; block symmetric_reduction_threads; shared memory as above;
//         reflect, correct: grid x = matrices; block symmetric_reduction_threads;
//         multiply: grid x = ceil((n - k - 1) / symmetric_reduction_warps), y = matrices; the same block;
//         update: grid x = t^2 for t = ceil((n - first) / symmetric_reduction_tile), y = matrices; the same block
// Cost    4/3 n^3 operations; panels: 4/3 n^3 bytes
// Rounds  fp32, absolute error of n ulp of the norm, which is at most 2; bit-reproducible
// See     CudaBackend.symmetricSpectrum, test/symmetric_spectrum_test.cpp
#include "block.cuh"

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;
constexpr int PANEL = 32;
constexpr int TILE = 32;
EXPORT(symmetric_reduction_threads, THREADS);
EXPORT(symmetric_reduction_warps, WARPS);
EXPORT(symmetric_reduction_panel, PANEL);
EXPORT(symmetric_reduction_tile, TILE);
EXPORT(symmetric_block_static, 1024); // bytes of static shared memory, before the dynamic part

/// Smaller sums of squares count as 0, which moves no eigenvalue by more than 2e-12. Far smaller squares are subnormal
/// and lose digits, and the reflection would not be orthogonal.
constexpr float LEAST_SQUARES = 1e-24f;

/// I - tau v v' maps x to beta e_1; v_1 = 1, the rest of v is x times `scale`.
struct Reflection {
    float beta;
    float tau;
    float scale;

    /// From x_1 and the sum of squares of the other elements.
    __device__ Reflection(float first, float squares) : beta(first), tau(0), scale(0) {
        if (squares > LEAST_SQUARES) {
            float norm = sqrtf(first * first + squares);
            beta = first > 0 ? -norm : norm;
            tau = (beta - first) / beta;
            scale = 1 / (first - beta);
        }
    }
};

/// Lane i holds row i. Elements beyond n are 0 and stay 0.
KERNEL(symmetric_warp_f32, THREADS, float* diagonal, float* offDiagonal, const float* matrix, int matrices, int n) {
    int64_t index = static_cast<int64_t>(blockIdx.x) * WARPS + threadIdx.x / WARP;
    int lane = threadIdx.x % WARP;
    if (index >= matrices) {
        return; // the whole warp
    }
    float row[WARP];
    UNROLL for (int j = 0; j < WARP; j++) {
        row[j] = lane < n && j < n ? matrix[(index * n + lane) * n + j] : 0;
    }
    float onDiagonal = 0;
    float offDiagonalOfLane = 0;
    UNROLL for (int k = 0; k < WARP; k++) {
        if (lane == k) {
            onDiagonal = row[k];
        }
        if (k + 1 < n) {
            float x = lane > k ? row[k] : 0;
            float squares = warp_sum(lane > k + 1 ? x * x : 0);
            Reflection reflection(__shfl_sync(ALL_LANES, x, k + 1), squares);
            if (lane == k) {
                offDiagonalOfLane = reflection.beta;
            }
            float v = lane == k + 1 ? 1 : x * reflection.scale;
            float y = 0;
            UNROLL for (int j = k + 1; j < WARP; j++) {
                y += row[j] * __shfl_sync(ALL_LANES, v, j);
            }
            y = lane > k ? reflection.tau * y : 0;
            float w = y - reflection.tau / 2 * warp_sum(y * v) * v;
            UNROLL for (int j = k + 1; j < WARP; j++) {
                row[j] -= v * __shfl_sync(ALL_LANES, w, j) + w * __shfl_sync(ALL_LANES, v, j);
            }
        }
    }
    if (lane < n) {
        diagonal[index * n + lane] = onDiagonal;
        offDiagonal[index * n + lane] = offDiagonalOfLane;
    }
}

KERNEL(symmetric_block_f32, THREADS, float* diagonal, float* offDiagonal, const float* matrix, int n) {
    DYNAMIC_SHARED(float, pool);
    int stride = n | 1; // odd: rows begin in different banks
    float* a = pool;
    float* v = a + n * stride;
    float* w = v + n;
    int64_t base = static_cast<int64_t>(blockIdx.x) * n;
    int lane = threadIdx.x % WARP;
    int warp = threadIdx.x / WARP;
    for (int i = warp; i < n; i += WARPS) {
        for (int j = lane; j < n; j += WARP) {
            a[i * stride + j] = matrix[(base + i) * n + j];
        }
    }
    __syncthreads();
    for (int k = 0; k + 1 < n; k++) {
        const float* x = a + k * stride; // the column, by symmetry
        float part = 0;
        for (int i = k + 2 + static_cast<int>(threadIdx.x); i < n; i += THREADS) {
            part += x[i] * x[i];
        }
        Reflection reflection(x[k + 1], block_sum(part));
        if (threadIdx.x == 0) {
            diagonal[base + k] = x[k];
            offDiagonal[base + k] = reflection.beta;
        }
        for (int i = k + 1 + static_cast<int>(threadIdx.x); i < n; i += THREADS) {
            v[i] = i == k + 1 ? 1 : x[i] * reflection.scale;
        }
        __syncthreads();
        for (int i = k + 1 + warp; i < n; i += WARPS) {
            float y = 0;
            for (int j = k + 1 + lane; j < n; j += WARP) {
                y += a[i * stride + j] * v[j];
            }
            y = warp_sum(y);
            if (lane == 0) {
                w[i] = reflection.tau * y;
            }
        }
        __syncthreads();
        part = 0;
        for (int i = k + 1 + static_cast<int>(threadIdx.x); i < n; i += THREADS) {
            part += w[i] * v[i];
        }
        float along = reflection.tau / 2 * block_sum(part);
        for (int i = k + 1 + static_cast<int>(threadIdx.x); i < n; i += THREADS) {
            w[i] -= along * v[i];
        }
        __syncthreads();
        for (int i = k + 1 + warp; i < n; i += WARPS) {
            for (int j = k + 1 + lane; j < n; j += WARP) {
                a[i * stride + j] -= v[i] * w[j] + w[i] * v[j];
            }
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        diagonal[base + n - 1] = a[(n - 1) * stride + n - 1];
        offDiagonal[base + n - 1] = 0;
    }
}

/// Scratch of one matrix: vectors v and w of a panel, each vector contiguous.
struct Panel {
    float* v;
    float* w;
    int n;

    __device__ Panel(float* v, float* w, int n, int64_t matrix)
        : v(v + matrix * PANEL * n), w(w + matrix * PANEL * n), n(n) {}

    /// The amount that the first `count` reflections subtract from element (i, j).
    __device__ float taken(int i, int j, int count) const {
        float sum = 0;
        for (int p = 0; p < count; p++) {
            sum += v[static_cast<int64_t>(p) * n + i] * w[static_cast<int64_t>(p) * n + j] +
                   w[static_cast<int64_t>(p) * n + i] * v[static_cast<int64_t>(p) * n + j];
        }
        return sum;
    }
};

/// Reflection of column k, after applying the `count` earlier reflections of the panel to the column.
KERNEL(symmetric_reflect_f32, THREADS, float* diagonal, float* offDiagonal, float* tau, float* v, float* w,
       const float* matrix, int n, int k, int count) {
    int64_t index = blockIdx.x;
    Panel panel(v, w, n, index);
    const float* column = matrix + (index * n + k) * n; // a row, by symmetry
    float* x = panel.v + static_cast<int64_t>(count) * n;
    float part = 0;
    for (int i = threadIdx.x; i < n; i += THREADS) {
        x[i] = i > k ? column[i] - panel.taken(i, k, count) : 0;
        part += i > k + 1 ? x[i] * x[i] : 0;
    }
    float squares = block_sum(part); // also makes the writes visible to the block
    float first = k + 1 < n ? x[k + 1] : 0;
    Reflection reflection(first, squares);
    __syncthreads(); // before the first element is overwritten
    for (int i = threadIdx.x; i < n; i += THREADS) {
        x[i] = i == k + 1 ? 1 : x[i] * reflection.scale;
    }
    if (threadIdx.x == 0) {
        diagonal[index * n + k] = column[k] - panel.taken(k, k, count);
        offDiagonal[index * n + k] = reflection.beta;
        tau[index] = reflection.tau;
    }
}

/// y = A v with the matrix as at the start of the panel; rows after k.
KERNEL(symmetric_multiply_f32, THREADS, float* y, const float* v, const float* matrix, int n, int k, int count) {
    int64_t index = blockIdx.y;
    int64_t row = k + 1 + static_cast<int64_t>(blockIdx.x) * WARPS + threadIdx.x / WARP;
    int lane = threadIdx.x % WARP;
    if (row >= n) {
        return; // the whole warp
    }
    const float* x = v + (index * PANEL + count) * n;
    const float* a = matrix + (index * n + row) * n;
    float sum = 0;
    for (int j = k + 1 + lane; j < n; j += WARP) {
        sum += a[j] * x[j];
    }
    sum = warp_sum(sum);
    if (lane == 0) {
        y[index * n + row] = sum;
    }
}

/// Corrects y for the panel's earlier reflections and computes w from it.
KERNEL(symmetric_correct_f32, THREADS, float* w, float* y, const float* tau, float* v, int n, int k, int count) {
    SHARED(float[PANEL][2], dots); // products of v with the earlier w and v
    int64_t index = blockIdx.x;
    Panel panel(v, w, n, index);
    const float* x = panel.v + static_cast<int64_t>(count) * n;
    float* of = y + index * n;
    int lane = threadIdx.x % WARP;
    for (int p = threadIdx.x / WARP; p < count; p += WARPS) {
        float withW = 0;
        float withV = 0;
        for (int i = k + 1 + lane; i < n; i += WARP) {
            withW += panel.w[static_cast<int64_t>(p) * n + i] * x[i];
            withV += panel.v[static_cast<int64_t>(p) * n + i] * x[i];
        }
        withW = warp_sum(withW);
        withV = warp_sum(withV);
        if (lane == 0) {
            dots[p][0] = withW;
            dots[p][1] = withV;
        }
    }
    __syncthreads();
    float part = 0;
    for (int i = k + 1 + static_cast<int>(threadIdx.x); i < n; i += THREADS) {
        float sum = of[i];
        for (int p = 0; p < count; p++) {
            sum -= panel.v[static_cast<int64_t>(p) * n + i] * dots[p][0] +
                   panel.w[static_cast<int64_t>(p) * n + i] * dots[p][1];
        }
        of[i] = tau[index] * sum;
        part += of[i] * x[i];
    }
    float along = tau[index] / 2 * block_sum(part);
    for (int i = threadIdx.x; i < n; i += THREADS) {
        panel.w[static_cast<int64_t>(count) * n + i] = i > k ? of[i] - along * x[i] : 0;
    }
}

/// Applies the panel's reflections to the rows and columns from first on.
KERNEL(symmetric_update_f32, THREADS, float* matrix, const float* v, const float* w, int n, int first, int count) {
    SHARED(float[PANEL][2][TILE], rows);
    SHARED(float[PANEL][2][TILE], columns);
    int tiles = (n - first + TILE - 1) / TILE;
    int firstRow = first + static_cast<int>(blockIdx.x) / tiles * TILE;
    int firstColumn = first + static_cast<int>(blockIdx.x) % tiles * TILE;
    int64_t index = blockIdx.y;
    for (int i = threadIdx.x; i < count * TILE; i += THREADS) {
        int p = i / TILE;
        int at = i % TILE;
        int64_t of = (index * PANEL + p) * n;
        rows[p][0][at] = firstRow + at < n ? v[of + firstRow + at] : 0;
        rows[p][1][at] = firstRow + at < n ? w[of + firstRow + at] : 0;
        columns[p][0][at] = firstColumn + at < n ? v[of + firstColumn + at] : 0;
        columns[p][1][at] = firstColumn + at < n ? w[of + firstColumn + at] : 0;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < TILE * TILE; i += THREADS) {
        int row = i / TILE;
        int column = i % TILE;
        float sum = 0;
        for (int p = 0; p < count; p++) {
            sum += rows[p][0][row] * columns[p][1][column] + rows[p][1][row] * columns[p][0][column];
        }
        if (firstRow + row < n && firstColumn + column < n) {
            matrix[(index * n + firstRow + row) * n + firstColumn + column] -= sum;
        }
    }
}
