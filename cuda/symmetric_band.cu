// Reduction of symmetric matrices to band form with WIDTH diagonals below the main one, by blocks of Householder
// reflections (Bischof, Lang and Sun 2000, as LAPACK's sytrd_sy2sb). A panel is columns k .. k + WIDTH - 1, without the
// rows before first = k + WIDTH. With m = n - first rows:
//
//   symmetric_panel     panel = Q R, Q = I - V T V' (Golub and Van Loan 2013, section 5.2.2); R goes to the band
//   symmetric_multiply  X = A V, with A the m x m matrix that remains
//   symmetric_correct   W = X T - V (T' V' X T) / 2
//   symmetric_update    A -= V W' + W V', which makes it Q' A Q
//
// In      matrix [matrices, n, n], fp32, both triangles; multiply and update access 16 bytes at a time if all rows are
//         aligned to 16 bytes, otherwise 4
// Out     matrix: the band in its lower triangle; other elements are overwritten
// Scratch v, x, w [matrices, n, WIDTH], row r of m at r; t [matrices, WIDTH, WIDTH], upper triangular; fp32, aligned to
//         16 bytes
// Launch  WIDTH, 16 or 32, is part of a kernel's name. For k = 0, WIDTH, .. while m >= 2; block <kernel>_threads. panel:
//         grid x = matrices; dynamic shared memory 8 m bytes, m rounded up to 32;
//         multiply: grid x = ceil(m / symmetric_multiply_rows), y = matrices;
//         correct: grid x = matrices;
//         update: grid x = t (t + 1) / 2 for t = ceil(m / symmetric_update_tile), y = matrices
// Cost    4/3 n^3 operations, and 5 WIDTH n^2 for panels and corrections; 10/3 n^3 / WIDTH bytes
// Rounds  fp32, absolute error of n ulp of the norm, which is at most 2; bit-reproducible
// See     CudaBackend.symmetricSpectrum, symmetric_chase.cu, test/symmetric_band_test.cpp, test/symmetric_spectrum_test.cpp
#include "quad_rows.cuh"
#include "symmetric_panel.cuh"

constexpr int TILE = 64; // rows or columns of A
constexpr int QUADS = TILE / QUAD;
EXPORT(symmetric_multiply_rows, TILE);
EXPORT(symmetric_update_tile, TILE);

/// Whether all rows of the matrices are aligned to 16 bytes.
__device__ inline bool has_aligned_rows(const float* matrices, int n) {
    return has_quads(matrices) && n % QUAD == 0;
}

constexpr int DEPTH = 8;  // rows of A and V in a stage
constexpr int STAGES = 4; // of a warp in shared memory: one to multiply, the others on their way
constexpr int OWNED = 16; // columns of X per thread
constexpr int MULTIPLY_WARPS = 4;
constexpr int MULTIPLY_THREADS = MULTIPLY_WARPS * WARP;
constexpr int MULTIPLY_BLOCKS = 3; // per multiprocessor; with 4, sm_120 would spill

template <int WIDTH>
struct Stage {
    QuadRows<DEPTH, QUADS, WARP> a;
    Quad v[DEPTH * WIDTH / QUAD];
};

/// Two lanes of a warp share a quad of rows of X. They divide the rows of a stage between them or, if V is wide, its
/// columns.
template <int WIDTH>
struct Lane {
    static constexpr int HALVES = WIDTH / OWNED;
    static constexpr int LINES = WARP / QUADS / HALVES; // rows of a stage at a time
    unsigned quad = threadIdx.x % QUADS;
    unsigned line = threadIdx.x / QUADS % LINES;
    unsigned half = threadIdx.x % WARP / QUADS / LINES;
};

/// Sums of each warp's lines for a tile of X. With the padding, rows lie in different banks.
template <int WIDTH>
using Parts = Quad[MULTIPLY_WARPS * Lane<WIDTH>::LINES][QUAD][WIDTH / QUAD][QUADS + 1];

/// Adds the sums in order and writes so many rows of X.
template <int WIDTH>
__device__ void add_parts(float* x, const Parts<WIDTH>& parts, int rows) {
    UNROLL for (int i = threadIdx.x; i < TILE * WIDTH / QUAD; i += MULTIPLY_THREADS) {
        int row = i / (WIDTH / QUAD);
        Quad total = {};
        UNROLL for (const auto& part : parts) {
            Quad of = part[row % QUAD][i % (WIDTH / QUAD)][row / QUAD];
            UNROLL for (int j = 0; j < QUAD; j++) {
                total.of[j] += of.of[j];
            }
        }
        if (row < rows) {
            reinterpret_cast<Quad*>(x)[i] = total;
        }
    }
}

template <int WIDTH>
union MultiplyMemory {
    Stage<WIDTH> stages[MULTIPLY_WARPS][STAGES];
    Parts<WIDTH> parts;
};

/// A block owns a tile of rows of X. By symmetry, it reads columns of A instead of rows. Its warps take turns over stages,
/// without waiting for each other.
template <int WIDTH>
__device__ void multiply(float* x, const float* v, const float* matrix, int n, int k) {
    using Lane = Lane<WIDTH>;
    SHARED(MultiplyMemory<WIDTH>, memory);
    constexpr int STEP = MULTIPLY_WARPS * DEPTH;
    bool aligned = has_aligned_rows(matrix, n);
    int first = k + WIDTH;
    int m = n - first;
    int firstRow = static_cast<int>(blockIdx.x) * TILE;
    int64_t index = blockIdx.y;
    int warp = static_cast<int>(threadIdx.x) / WARP;
    unsigned lane = threadIdx.x % WARP;
    const float* a = matrix + (index * n + first + warp * DEPTH) * n + first + firstRow;
    a += QuadRows<DEPTH, QUADS, WARP>::offset(lane, n, aligned);
    v += (index * n + warp * DEPTH) * WIDTH + lane * QUAD;
    int left = m - warp * DEPTH; // rows of A that have not been requested
    auto request = [&](Stage<WIDTH>& to) {
        int stride = recomputed(n);
        to.a.copy(lane, a, stride, left, m - firstRow, aligned);
        UNROLL for (int i = 0; i < DEPTH * WIDTH / QUAD; i += WARP) {
            copy_chunk(to.v[i + lane].of, v + i * QUAD, i + static_cast<int>(lane) < left * (WIDTH / QUAD));
        }
        end_copies();
        a += static_cast<int64_t>(STEP) * stride;
        v += STEP * WIDTH;
        left -= STEP;
    };
    UNROLL for (int i = 0; i < STAGES - 1; i++) {
        request(memory.stages[warp][i]);
    }
    Lane own;
    float sum[QUAD][OWNED] = {};
    unsigned next = 0;
    while (left + (STAGES - 1) * STEP > 0) {
        wait_for_copies<STAGES - 2>();
        __syncwarp(); // the previous stage has been read
        request(memory.stages[warp][(next + STAGES - 1) % STAGES]);
        Stage<WIDTH>& stage = memory.stages[warp][next];
        next = (next + 1) % STAGES;
        UNROLL for (int row = 0; row < DEPTH; row += Lane::LINES) {
            Quad by = stage.a.at(row + own.line, own.quad);
            UNROLL for (int q = 0; q < OWNED / QUAD; q++) {
                Quad of = stage.v[((row + own.line) * Lane::HALVES + own.half) * (OWNED / QUAD) + q];
                UNROLL for (int i = 0; i < QUAD; i++) {
                    UNROLL for (int j = 0; j < QUAD; j++) {
                        sum[i][q * QUAD + j] += by.of[i] * of.of[j];
                    }
                }
            }
        }
    }
    wait_for_copies<0>();
    __syncthreads(); // the sums take the place of the stages
    UNROLL for (int i = 0; i < QUAD; i++) {
        UNROLL for (int q = 0; q < OWNED / QUAD; q++) {
            Quad& part = memory.parts[warp * Lane::LINES + own.line][i][own.half * (OWNED / QUAD) + q][own.quad];
            UNROLL for (int j = 0; j < QUAD; j++) {
                part.of[j] = sum[i][q * QUAD + j];
            }
        }
    }
    __syncthreads();
    add_parts<WIDTH>(x + (index * n + firstRow) * WIDTH, memory.parts, m - firstRow);
}

/// sum[p] += x row[p] for a row of V or X, which all lanes read.
template <int WIDTH>
__device__ void add_scaled(float* sum, float x, const float* row) {
    UNROLL for (int q = 0; q < WIDTH / QUAD; q++) {
        Quad quad = reinterpret_cast<const Quad*>(row)[q];
        UNROLL for (int i = 0; i < QUAD; i++) {
            sum[q * QUAD + i] += x * quad.of[i];
        }
    }
}

template <int WIDTH>
__device__ float dot(const float* column, const float* row) {
    float sum = 0;
    UNROLL for (int q = 0; q < WIDTH / QUAD; q++) {
        Quad quad = reinterpret_cast<const Quad*>(row)[q];
        UNROLL for (int i = 0; i < QUAD; i++) {
            sum += column[q * QUAD + i] * quad.of[i];
        }
    }
    return sum;
}

/// Groups of WIDTH threads divide the rows among them; their sums are 32 KB.
template <int WIDTH>
constexpr int GROUPS = (1 << 13) / (WIDTH * WIDTH);

/// The threads of a group stand for columns.
template <int WIDTH>
__device__ void correct(float* w, const float* x, const float* v, const float* t, int n, int k) {
    SHARED(float[GROUPS<WIDTH>][WIDTH][WIDTH], parts);
    SHARED(float[WIDTH][WIDTH], products); // V' X, then -T' V' X T / 2
    SHARED(float[WIDTH][WIDTH], half);     // V' X T
    SHARED(float[WIDTH][WIDTH], triangle);
    int m = n - k - WIDTH;
    int own = static_cast<int>(threadIdx.x) % WIDTH;
    int group = static_cast<int>(threadIdx.x) / WIDTH;
    int64_t index = blockIdx.x;
    w += index * n * WIDTH;
    x += index * n * WIDTH;
    v += index * n * WIDTH;
    float column[WIDTH] = {};
    for (int row = group; row < m; row += GROUPS<WIDTH>) {
        add_scaled<WIDTH>(column, x[row * WIDTH + own], v + row * WIDTH);
    }
    UNROLL for (int p = 0; p < WIDTH; p++) {
        parts[group][p][own] = column[p];
    }
    __syncthreads();
    for (int p = group; p < WIDTH; p += GROUPS<WIDTH>) {
        float sum = 0;
        UNROLL for (int part = 0; part < GROUPS<WIDTH>; part++) {
            sum += parts[part][p][own];
        }
        products[p][own] = sum;
        triangle[p][own] = t[(index * WIDTH + p) * WIDTH + own];
    }
    __syncthreads();
    for (int p = group; p < WIDTH; p += GROUPS<WIDTH>) {
        float sum = 0;
        for (int q = 0; q < WIDTH; q++) {
            sum += products[p][q] * triangle[q][own];
        }
        half[p][own] = sum;
    }
    __syncthreads();
    for (int p = group; p < WIDTH; p += GROUPS<WIDTH>) {
        float sum = 0;
        for (int q = 0; q < WIDTH; q++) {
            sum += triangle[q][p] * half[q][own];
        }
        products[p][own] = -sum / 2;
    }
    __syncthreads();
    float ofX[WIDTH];
    UNROLL for (int p = 0; p < WIDTH; p++) {
        ofX[p] = triangle[p][own];
        column[p] = products[p][own];
    }
    for (int row = group; row < m; row += GROUPS<WIDTH>) {
        w[row * WIDTH + own] = dot<WIDTH>(ofX, x + row * WIDTH) + dot<WIDTH>(column, v + row * WIDTH);
    }
}

constexpr int UPDATE_QUADS = 2; // of rows per thread
constexpr int UPDATE_THREADS = QUADS / UPDATE_QUADS * QUADS;
constexpr int UPDATE_BLOCKS = 5; // per multiprocessor, if they fit into its shared memory

/// A tile's rows of [V W] or [W V].
template <int WIDTH>
struct Operand : QuadRows<TILE, 2 * WIDTH / QUAD, UPDATE_THREADS> {
    /// Starts to copy so many rows, from `first` on; the rest becomes 0.
    __device__ void copy(unsigned thread, const float* left, const float* right, int first, int rows) {
        constexpr int COUNT = WIDTH / QUAD;
        int64_t from = static_cast<int64_t>(first) * WIDTH + thread * QUAD;
        this->template copy_quads<COUNT>(thread, 0, left + from, WIDTH, rows, WIDTH);
        this->template copy_quads<COUNT>(thread, COUNT, right + from, WIDTH, rows, WIDTH);
    }
};

template <int WIDTH>
struct UpdateMemory {
    QuadRows<TILE, QUADS, UPDATE_THREADS> tile;
    Operand<WIDTH> rows;
    Operand<WIDTH> columns;
};

/// A block owns a tile of the lower triangle and its mirror image.
template <int WIDTH>
__device__ void update(float* matrix, const float* v, const float* w, int n, int k) {
    SHARED(UpdateMemory<WIDTH>, memory);
    bool aligned = has_aligned_rows(matrix, n);
    int tileRow = 0;
    int tileColumn = static_cast<int>(blockIdx.x);
    while (tileColumn > tileRow) {
        tileRow++;
        tileColumn -= tileRow;
    }
    int first = k + WIDTH;
    int firstRow = tileRow * TILE;
    int firstColumn = tileColumn * TILE;
    int rows = n - first - firstRow;
    int columns = n - first - firstColumn;
    int64_t index = blockIdx.y;
    float* a = matrix + (index * n + first) * n + first;
    float* tile = a + static_cast<int64_t>(firstRow) * n + firstColumn;
    v += index * n * WIDTH;
    w += index * n * WIDTH;
    unsigned thread = threadIdx.x;
    memory.rows.copy(thread, v, w, firstRow, rows);
    memory.columns.copy(thread, w, v, firstColumn, columns);
    end_copies();
    memory.tile.copy(thread, tile + memory.tile.offset(thread, n, aligned), n, rows, columns, aligned);
    end_copies();
    wait_for_copies<1>();
    __syncthreads();
    unsigned column = thread % QUADS;
    auto row = [&](int part) { return part * (QUADS / UPDATE_QUADS) + thread / QUADS; };
    float result[UPDATE_QUADS][QUAD][QUAD] = {};
    UNROLL_BY(1) for (int p = 0; p < 2 * WIDTH / QUAD; p++) {
        Quad of[QUAD];
        UNROLL for (int j = 0; j < QUAD; j++) {
            of[j] = memory.columns.at(column, j, p);
        }
        UNROLL for (int part = 0; part < UPDATE_QUADS; part++) {
            UNROLL for (int i = 0; i < QUAD; i++) {
                Quad by = memory.rows.at(row(part), i, p);
                UNROLL for (int e = 0; e < QUAD; e++) {
                    UNROLL for (int j = 0; j < QUAD; j++) {
                        result[part][i][j] += by.of[e] * of[j].of[e];
                    }
                }
            }
        }
    }
    wait_for_copies<0>();
    __syncthreads();
    UNROLL for (int part = 0; part < UPDATE_QUADS; part++) {
        UNROLL for (int i = 0; i < QUAD; i++) {
            Quad& quad = memory.tile.at(row(part), i, column);
            UNROLL for (int j = 0; j < QUAD; j++) {
                quad.of[j] = result[part][i][j] = quad.of[j] - result[part][i][j];
            }
        }
    }
    __syncthreads();
    memory.tile.write(thread, tile, n, rows, columns, aligned);
    if (tileRow == tileColumn) {
        return; // the whole block
    }
    __syncthreads();
    UNROLL for (int part = 0; part < UPDATE_QUADS; part++) {
        UNROLL for (int j = 0; j < QUAD; j++) {
            Quad& quad = memory.tile.at(column, j, row(part));
            UNROLL for (int i = 0; i < QUAD; i++) {
                quad.of[i] = result[part][i][j];
            }
        }
    }
    __syncthreads();
    memory.tile.write(thread, a + static_cast<int64_t>(firstColumn) * n + firstRow, n, columns, rows, aligned);
}

#define BAND(WIDTH) \
    EXPORT(symmetric_panel##WIDTH##_f32_threads, (WIDTH)*WARP); \
    EXPORT(symmetric_multiply##WIDTH##_f32_threads, MULTIPLY_THREADS); \
    EXPORT(symmetric_correct##WIDTH##_f32_threads, GROUPS<WIDTH> * (WIDTH)); \
    EXPORT(symmetric_update##WIDTH##_f32_threads, UPDATE_THREADS); \
    KERNEL(symmetric_panel##WIDTH##_f32, (WIDTH)*WARP, float* v, float* t, float* matrix, int n, int k) { \
        factor_panel<WIDTH>(v, t, matrix, n, k); \
    } \
    RESIDENT_KERNEL(symmetric_multiply##WIDTH##_f32, MULTIPLY_THREADS, MULTIPLY_BLOCKS, float* x, const float* v, \
                    const float* matrix, int n, int k) { \
        multiply<WIDTH>(x, v, matrix, n, k); \
    } \
    KERNEL(symmetric_correct##WIDTH##_f32, GROUPS<WIDTH> * (WIDTH), float* w, const float* x, const float* v, \
           const float* t, int n, int k) { \
        correct<WIDTH>(w, x, v, t, n, k); \
    } \
    RESIDENT_KERNEL(symmetric_update##WIDTH##_f32, UPDATE_THREADS, UPDATE_BLOCKS, float* matrix, const float* v, \
                    const float* w, int n, int k) { \
        update<WIDTH>(matrix, v, w, n, k); \
    }

BAND(16)
BAND(32)
