// Eigenvalues of the normalised Laplacians of up to 192 tokens (symmetric_laplacian.cu), by reduction to tridiagonal form
// and bisection (bisection.cuh). Householder reflections preserve eigenvalues (Golub and Van Loan 2013, section 8.3.1).
// Step k, with x the column below the diagonal:
//
//   v = x - beta e_1, scaled to v_1 = 1; beta = -sign(x_1) |x|; tau = (beta - x_1) / beta
//   y = tau A v; w = y - (tau / 2) (y . v) v; A -= v w' + w v'
//
// A block keeps its matrix, without the identity, in registers: groups of four rows are divided among warps, columns among
// lanes. The warp that holds row k computes v while the others still subtract the previous step's v w' + w v'.
//
// In      map [matrices, n, n], fp32, every element
// Out     eigenvalues [matrices, n], fp32, ascending; moments [matrices, 2], fp64: trace and sum of squares of each
//         Laplacian; defects [matrices], fp64: as from symmetric_eigenvalues.cu
// Launch  grid x = matrices; block <kernel>_threads; rows is the smallest of 32, 64, 128, 192 that is at least n
// Cost    3 n^3 operations, as both triangles are kept, and about 24 n^2 reciprocals; 4 bytes per element
// Rounds  fp32, absolute error of n ulp of the norm, which is at most 2; degrees and moments in fp64; bit-reproducible
// See     CudaBackend.symmetricSpectrum, symmetric_band.cu for larger matrices, test/symmetric_spectrum_test.cpp
#include "bisection.cuh"
#include "reflection.cuh"

template <int WARPS, int COLUMNS>
struct Matrix {
    static constexpr int N = WARP * COLUMNS;
    static constexpr int QUADS = N / WARPS / QUAD;
    static_assert(QUADS * WARPS * QUAD == N, "warps have the same number of rows");
    /// Quads that are processed or skipped together: where few warps run, their loads and sums overlap.
    static constexpr int TOGETHER = COLUMNS <= 2 ? QUADS : QUADS % 2 == 0 ? 2 : 1;
    static constexpr int SUMS = COLUMNS <= 2 ? QUAD : 1; // independent ones for each column
    static constexpr int LOADS = WARPS == 1 ? WARP : 4;  // of a thread, on the way at once
    static_assert(N / WARPS % LOADS == 0, "threads load whole batches");

    float a[QUADS][QUAD][COLUMNS]; // from load() to normalise(): twice W, because half of a subnormal number is not exact
    int lane = static_cast<int>(threadIdx.x) % WARP;
    int warp = static_cast<int>(threadIdx.x) / WARP;

    /// The quad's position in vectors of quads.
    __device__ int position(int quad) const {
        return quad * WARPS + warp;
    }

    __device__ int row(int quad) const {
        return position(quad) * QUAD;
    }

    __device__ int column(int j) const {
        return j * WARP + lane;
    }

    /// Shared memory of load(), then of scale().
    union Scratch {
        float rows[WARP][N + 1]; // odd: the elements of a column lie in different banks
        double sums[WARPS][N];
    };

    /// map + map'.
    __device__ void load(Scratch& scratch, const float* map, int n) {
        UNROLL for (int i = 0; i < QUADS * QUAD * COLUMNS; i++) {
            a[i / (QUAD * COLUMNS)][i / COLUMNS % QUAD][i % COLUMNS] = 0;
        }
        UNROLL for (int j = 0; j < COLUMNS; j++) {
            for (int first = threadIdx.x; first < WARP * N; first += LOADS * WARPS * WARP) {
                float loaded[LOADS];
                UNROLL for (int i = 0; i < LOADS; i++) {
                    int at = first + i * WARPS * WARP;
                    int row = j * WARP + at / N;
                    loaded[i] = row < n && at % N < n ? map[static_cast<int64_t>(row) * n + at % N] : 0;
                }
                UNROLL for (int i = 0; i < LOADS; i++) {
                    int at = first + i * WARPS * WARP;
                    scratch.rows[at / N][at % N] = loaded[i];
                }
            }
            __syncthreads();
            UNROLL for (int q = 0; q < QUADS; q++) {
                bool here = position(q) / (WARP / QUAD) == j;
                UNROLL for (int r = 0; r < QUAD; r++) {
                    a[q][r][j] += scratch.rows[lane][row(q) + r];
                    if (here) {
                        UNROLL for (int c = 0; c < COLUMNS; c++) {
                            a[q][r][c] += scratch.rows[row(q) + r - j * WARP][column(c)];
                        }
                    }
                }
            }
            __syncthreads();
        }
    }

    /// Scales of the Laplacian, from the sums of the columns.
    __device__ void scale(Scratch& scratch, float* scales) const {
        UNROLL for (int j = 0; j < COLUMNS; j++) {
            double sum = 0;
            UNROLL for (int q = 0; q < QUADS; q++) {
                UNROLL for (int r = 0; r < QUAD; r++) {
                    sum += a[q][r][j];
                }
            }
            scratch.sums[warp][column(j)] = sum;
        }
        __syncthreads();
        if (threadIdx.x < N) {
            double degree = 0;
            for (int part = 0; part < WARPS; part++) {
                degree += scratch.sums[part][threadIdx.x];
            }
            scales[threadIdx.x] = degree > 0 ? static_cast<float>(1 / sqrt(degree / 2)) : 0;
        }
        __syncthreads();
    }

    /// Becomes the Laplacian less the identity; writes the Laplacian's trace and sum of squares.
    __device__ void normalise(double* moments, const Quad* scales, const float* scalesOfColumns, const float* map, int n) {
        double squares = 0;
        UNROLL for (int q = 0; q < QUADS; q++) {
            Quad scalesOfRows = scales[position(q)];
            UNROLL for (int r = 0; r < QUAD; r++) {
                UNROLL for (int j = 0; j < COLUMNS; j++) {
                    float element = -(scalesOfRows.of[r] * a[q][r][j] * scalesOfColumns[column(j)]) / 2;
                    squares += static_cast<double>(element) * element;
                    a[q][r][j] = element;
                }
            }
        }
        double trace = 0;
        for (int64_t i = threadIdx.x; i < n; i += WARPS * WARP) {
            trace -= scalesOfColumns[i] * map[i * n + i] * scalesOfColumns[i];
        }
        trace = block_sum(trace);
        squares = block_sum(squares);
        if (threadIdx.x == 0) {
            moments[0] = n + trace;
            moments[1] = squares + 2 * trace + n;
        }
    }

    /// Copies row k; called by the warp that holds it. Sums instead of selecting, because an index that is not constant would
    /// move the array out of registers.
    __device__ void copy_row(float* x, int k) const {
        float chosen[QUAD];
        UNROLL for (int r = 0; r < QUAD; r++) {
            chosen[r] = r == k % QUAD ? 1.0f : 0.0f;
        }
        UNROLL for (int q = 0; q < QUADS; q++) {
            if (position(q) == k / QUAD) {
                UNROLL for (int j = 0; j < COLUMNS; j++) {
                    x[j] = 0;
                    UNROLL for (int r = 0; r < QUAD; r++) {
                        x[j] += chosen[r] * a[q][r][j];
                    }
                }
            }
        }
    }

    /// Subtracts v w' + w v' from the rows after k.
    __device__ void subtract(int k, const Quad* v, const Quad* w, const float* vColumns, const float* wColumns) {
        UNROLL for (int first = 0; first < QUADS; first += TOGETHER) {
            if (row(first + TOGETHER - 1) + QUAD - 1 > k) {
                UNROLL for (int q = first; q < first + TOGETHER; q++) {
                    Quad vRows = v[position(q)];
                    Quad wRows = w[position(q)];
                    UNROLL for (int r = 0; r < QUAD; r++) {
                        UNROLL for (int j = 0; j < COLUMNS; j++) {
                            a[q][r][j] -= vRows.of[r] * wColumns[j] + wRows.of[r] * vColumns[j];
                        }
                    }
                }
            }
        }
    }

    /// The warp's part of A v, from the rows after k.
    __device__ void multiply(float* y, int k, const Quad* v) const {
        float sums[SUMS][COLUMNS] = {};
        UNROLL for (int first = 0; first < QUADS; first += TOGETHER) {
            if (row(first + TOGETHER - 1) + QUAD - 1 > k) {
                UNROLL for (int q = first; q < first + TOGETHER; q++) {
                    Quad vRows = v[position(q)];
                    UNROLL for (int r = 0; r < QUAD; r++) {
                        UNROLL for (int j = 0; j < COLUMNS; j++) {
                            sums[r % SUMS][j] += a[q][r][j] * vRows.of[r];
                        }
                    }
                }
            }
        }
        UNROLL for (int j = 0; j < COLUMNS; j++) {
            y[j] = 0;
            UNROLL for (int i = 0; i < SUMS; i++) {
                y[j] += sums[i][j];
            }
        }
    }
};

/// Writes the diagonal and the elements beside it, of which the last is 0, to shared memory. Synchronises after the last
/// write.
template <int WARPS, int COLUMNS>
__device__ void reduce(float* diagonal, float* offDiagonal, double* moments, const float* map, int n) {
    using M = Matrix<WARPS, COLUMNS>;
    constexpr int N = M::N;
    SHARED(Quad[2][N / QUAD], vectors); // v of this step and of the previous one
    SHARED(Quad[N / QUAD], others);     // w
    SHARED(float[WARPS][N], products);  // parts of A v
    SHARED(float[WARPS], along);        // parts of v' A v
    SHARED(float[1], taus);
    SHARED(typename M::Scratch, scratch);
    float* w = elements(others);
    int thread = static_cast<int>(threadIdx.x);
    M m;
    m.load(scratch, map, n);
    m.scale(scratch, w);
    m.normalise(moments, others, w, map, n);
    for (int i = thread; i < N; i += WARPS * WARP) {
        elements(vectors[1])[i] = 0;
        w[i] = 0;
    }
    __syncthreads();
    float vColumns[COLUMNS] = {};
    float wColumns[COLUMNS] = {};
    for (int k = 0; k < n; k++) {
        float* v = elements(vectors[k % 2]);
        Quad* before = vectors[(k + 1) % 2];
        if (m.warp == k / QUAD % WARPS) {
            float x[COLUMNS] = {};
            m.copy_row(x, k);
            float vRow = elements(before)[k];
            float wRow = w[k];
            float squares = 0;
            float first = 0;
            UNROLL for (int j = 0; j < COLUMNS; j++) {
                x[j] -= vRow * wColumns[j] + wRow * vColumns[j];
                squares += m.column(j) > k + 1 ? x[j] * x[j] : 0;
                first = j == (k + 1) / WARP ? x[j] : first;
            }
            Reflection reflection(__shfl_sync(ALL_LANES, first, (k + 1) % WARP), warp_sum(squares));
            UNROLL for (int j = 0; j < COLUMNS; j++) {
                int column = m.column(j);
                v[column] = column > k + 1 ? x[j] * reflection.scale : column == k + 1 && column < n ? 1 : 0;
                if (column == k) {
                    diagonal[k] = 1 + x[j]; // the identity
                    offDiagonal[k] = reflection.beta;
                    taus[0] = reflection.tau;
                }
            }
        }
        m.subtract(k, before, others, vColumns, wColumns);
        __syncthreads();
        float y[COLUMNS];
        m.multiply(y, k, vectors[k % 2]);
        float dot = 0;
        UNROLL for (int j = 0; j < COLUMNS; j++) {
            vColumns[j] = v[m.column(j)];
            products[m.warp][m.column(j)] = y[j];
            dot += y[j] * vColumns[j];
        }
        dot = warp_sum(dot);
        if (m.lane == 0) {
            along[m.warp] = dot;
        }
        __syncthreads();
        if (thread < N) {
            float sum = 0;
            float total = 0;
            UNROLL for (int p = 0; p < WARPS; p++) {
                sum += WARPS == 1 ? y[0] : products[p][thread];
                total += WARPS == 1 ? dot : along[p];
            }
            float tau = taus[0];
            w[thread] = thread > k ? tau * (sum - tau / 2 * total * v[thread]) : 0;
        }
        __syncthreads();
        UNROLL for (int j = 0; j < COLUMNS; j++) {
            wColumns[j] = w[m.column(j)];
        }
    }
}

template <int WARPS, int COLUMNS>
__device__ void spectrum(float* eigenvalues, double* defects, double* moments, const float* map, int n) {
    constexpr int THREADS = WARPS * WARP;
    constexpr int N = WARP * COLUMNS;
    constexpr int LANES = THREADS < 2 * N ? 1 : 2; // per eigenvalue
    constexpr int POINTS = WARPS == 1 ? 2 : 1;     // of a lane: a single warp would wait for each reciprocal
    SHARED(float[N], diagonal);
    SHARED(float[N], offDiagonal);
    SHARED(Quad[N / 2], pool);
    int64_t index = blockIdx.x;
    int thread = static_cast<int>(threadIdx.x);
    int wanted = thread / LANES;
    moments += 2 * index;
    reduce<WARPS, COLUMNS>(diagonal, offDiagonal, moments, map + index * n * n, n);
    float found = eigenvalue<THREADS, LANES, POINTS>(pool, diagonal, offDiagonal, n, wanted);
    bool own = wanted < n && thread % LANES == 0;
    if (own) {
        eigenvalues[index * n + wanted] = found;
    }
    double counted = own ? found : 0;
    write_defect(defects + index, moments, counted, counted * counted, n);
}

#define REDUCTION(rows, WARPS) \
    EXPORT(symmetric_rows##rows##_f32_threads, (WARPS)*WARP); \
    KERNEL(symmetric_rows##rows##_f32, (WARPS)*WARP, float* eigenvalues, double* defects, double* moments, \
           const float* map, int n) { \
        spectrum<WARPS, (rows) / WARP>(eigenvalues, defects, moments, map, n); \
    }

REDUCTION(32, 1)
REDUCTION(64, 4)
REDUCTION(128, 8)
REDUCTION(192, 16)
