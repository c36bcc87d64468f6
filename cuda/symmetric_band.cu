// Reduction of symmetric matrices to band form with WIDTH diagonals below the main one, by blocks of Householder
// reflections (Bischof, Lang and Sun 2000, as LAPACK's sytrd_sy2sb). A panel is columns k .. k + WIDTH - 1, without the
// rows before first = k + WIDTH. With m = n - first rows:
//
//   symmetric_panel     panel = Q R, Q = I - V T V' (Golub and Van Loan 2013, section 5.2.2); R goes to the band
//   symmetric_multiply  X = A V, with A the m x m matrix that remains
//   symmetric_correct   W = X T - V (T' V' X T) / 2
//   symmetric_update    A -= V W' + W V', which makes it Q' A Q
//
// In      matrix [matrices, n, n], fp32, both triangles
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
// See     CudaBackend.symmetricSpectrum, symmetric_chase.cu, test/symmetric_spectrum_test.cpp
#include "quad.cuh"
#include "reflection.cuh"

/// A column of the panel in the registers of a warp: lane l holds rows l, l + 32, .. With SLOTS = 0 it stays in memory.
template <int SLOTS>
class Column {
public:
    __device__ Column(float* column, int rows) : memory(column), rows(rows) {
        if constexpr (SLOTS > 0) {
            UNROLL for (int i = 0; i < SLOTS; i++) {
                elements[i] = row(i) < rows ? column[row(i)] : 0;
            }
        }
    }

    __device__ int slots() const {
        return SLOTS > 0 ? SLOTS : (rows + WARP - 1) / WARP;
    }

    __device__ static int row(int slot) {
        return slot * WARP + static_cast<int>(threadIdx.x) % WARP;
    }

    /// 0 beyond the last row.
    __device__ float get(int slot) const {
        if constexpr (SLOTS > 0) {
            return elements[slot];
        } else {
            return row(slot) < rows ? memory[row(slot)] : 0;
        }
    }

    __device__ void set(int slot, float value) {
        if constexpr (SLOTS > 0) {
            elements[slot] = row(slot) < rows ? value : 0;
        } else if (row(slot) < rows) {
            memory[row(slot)] = value;
        }
    }

private:
    float* memory;
    int rows;
    float elements[SLOTS > 0 ? SLOTS : 1];
};

/// Products of columns of V, and the factors of the reflections.
template <int WIDTH>
struct Triangle {
    static_assert(WIDTH <= WARP, "a lane has a row");
    float products[WIDTH][WIDTH];
    float taus[WIDTH];

    /// T by its rows, one per lane (Schreiber and Van Loan 1989).
    __device__ void invert(float* t) const {
        int lane = static_cast<int>(threadIdx.x) % WARP;
        float row[WIDTH];
        UNROLL for (int c = 0; c < WIDTH; c++) {
            float sum = 0;
            UNROLL for (int p = 0; p < c; p++) {
                sum += row[p] * products[p][c];
            }
            row[c] = lane == c ? taus[c] : lane < c ? -taus[c] * sum : 0;
        }
        if (lane < WIDTH) {
            UNROLL for (int c = 0; c < WIDTH; c++) {
                t[lane * WIDTH + c] = row[c];
            }
        }
    }
};

/// Rows of V.
template <int WIDTH>
using Tile = float[WARP][WIDTH + 1];

/// Warp j holds column j. At step c, all warps read column c from shared memory and reflect their own. Synchronises after
/// the last write to the triangle.
template <int WIDTH, int SLOTS>
__device__ void factor(
    float* matrix, float* v, Triangle<WIDTH>& triangle, Tile<WIDTH>& tile, float* pool, int n, int k) {
    int thread = static_cast<int>(threadIdx.x);
    int lane = thread % WARP;
    int own = thread / WARP;
    int first = k + WIDTH;
    int rows = n - first;
    int padded = (rows + WARP - 1) / WARP * WARP;
    Column<SLOTS> column(matrix + static_cast<int64_t>(k + own) * n + first, rows); // by symmetry, a row
    for (int c = 0; c < WIDTH; c++) {
        float* x = pool + c % 2 * padded;
        if (own == c) {
            UNROLL for (int i = 0; i < column.slots(); i++) {
                if (i * WARP < rows) {
                    x[column.row(i)] = column.row(i) < c ? 0 : column.get(i);
                }
            }
        }
        __syncthreads();
        float squares = 0;
        float dot = 0;
        UNROLL for (int i = 0; i < column.slots(); i++) {
            if (i * WARP < rows) {
                float element = column.row(i) == c ? 0 : x[column.row(i)];
                squares += element * element;
                dot += element * column.get(i);
            }
        }
        float head = column.get(0);
        Reflection reflection(c < rows ? x[c] : 0, warp_sum(squares));
        dot = __shfl_sync(ALL_LANES, head, c) + reflection.scale * warp_sum(dot);
        if (own < c) {
            if (lane == 0) {
                triangle.products[own][c] = dot;
            }
            continue;
        }
        if (own == c && lane <= c && lane < rows) {
            matrix[static_cast<int64_t>(first + lane) * n + k + c] = lane == c ? reflection.beta : head;
            triangle.taus[c] = reflection.tau;
        }
        UNROLL for (int i = 0; i < column.slots(); i++) {
            if (i * WARP < rows) {
                float element = column.row(i) == c ? 1 : x[column.row(i)] * reflection.scale;
                column.set(i, own == c ? element : column.get(i) - reflection.tau * dot * element);
            }
        }
    }
    UNROLL for (int i = 0; i < column.slots(); i++) {
        if (i * WARP < rows) {
            tile[lane][own] = column.get(i);
            __syncthreads();
            if (i * WARP + thread / WIDTH < rows) {
                v[i * WARP * WIDTH + thread] = tile[thread / WIDTH][thread % WIDTH];
            }
            __syncthreads();
        }
    }
}

template <int WIDTH>
__device__ void factor_panel(float* v, float* t, float* matrix, int n, int k) {
    DYNAMIC_SHARED(float, pool); // two columns
    SHARED(Triangle<WIDTH>, triangle);
    SHARED(Tile<WIDTH>, tile);
    int64_t index = blockIdx.x;
    matrix += index * n * n;
    v += index * n * WIDTH;
    t += index * WIDTH * WIDTH;
    int rows = n - k - WIDTH;
    if (rows <= 256) {
        factor<WIDTH, 8>(matrix, v, triangle, tile, pool, n, k);
    } else if (rows <= 512) {
        factor<WIDTH, 16>(matrix, v, triangle, tile, pool, n, k);
    } else if (rows <= 1024) {
        factor<WIDTH, 32>(matrix, v, triangle, tile, pool, n, k);
    } else {
        factor<WIDTH, 0>(matrix, v, triangle, tile, pool, n, k);
    }
    if (threadIdx.x < WARP) {
        triangle.invert(t);
    }
}

constexpr int MULTIPLY_ROWS = 128;
constexpr int DEPTH = 32; // columns of A in shared memory
EXPORT(symmetric_multiply_rows, MULTIPLY_ROWS);

/// A thread has two quads of rows and a quad of columns.
template <int WIDTH>
constexpr int MULTIPLY_THREADS = MULTIPLY_ROWS / (2 * QUAD) * (WIDTH / QUAD);

template <int WIDTH>
__device__ void multiply(float* x, const float* v, const float* matrix, int n, int k) {
    constexpr int THREADS = MULTIPLY_THREADS<WIDTH>;
    static_assert(MULTIPLY_ROWS % THREADS == 0, "threads load whole columns of the tile");
    SHARED(Quad[DEPTH][MULTIPLY_ROWS / QUAD], left);
    SHARED(Quad[DEPTH][WIDTH / QUAD], right);
    int first = k + WIDTH;
    int m = n - first;
    int firstRow = static_cast<int>(blockIdx.x) * MULTIPLY_ROWS;
    int thread = static_cast<int>(threadIdx.x);
    int columns = thread % (WIDTH / QUAD);
    int rows = thread / (WIDTH / QUAD);
    int64_t index = blockIdx.y;
    const float* a = matrix + (index * n + first) * n + first + firstRow;
    v += index * n * WIDTH;
    x += index * n * WIDTH;
    float sum[2][QUAD][QUAD] = {};
    for (int start = 0; start < m; start += DEPTH) {
        int depth = min(DEPTH, m - start);
        __syncthreads();
        UNROLL for (int d = 0; d < DEPTH; d++) { // by symmetry, rows
            UNROLL for (int i = 0; i < MULTIPLY_ROWS / THREADS; i++) {
                int row = i * THREADS + thread;
                bool there = d < depth && firstRow + row < m;
                elements(left[d])[row] = there ? a[static_cast<int64_t>(start + d) * n + row] : 0;
            }
        }
        UNROLL for (int i = thread; i < DEPTH * WIDTH; i += THREADS) {
            elements(right[0])[i] = i < depth * WIDTH ? v[start * WIDTH + i] : 0;
        }
        __syncthreads();
        UNROLL_BY(8) for (int d = 0; d < DEPTH; d++) {
            Quad of = right[d][columns];
            UNROLL for (int half = 0; half < 2; half++) {
                Quad by = left[d][half * (MULTIPLY_ROWS / QUAD / 2) + rows];
                UNROLL for (int i = 0; i < QUAD; i++) {
                    UNROLL for (int j = 0; j < QUAD; j++) {
                        sum[half][i][j] += by.of[i] * of.of[j];
                    }
                }
            }
        }
    }
    UNROLL for (int half = 0; half < 2; half++) {
        UNROLL for (int i = 0; i < QUAD; i++) {
            int row = firstRow + half * (MULTIPLY_ROWS / 2) + rows * QUAD + i;
            if (row < m) {
                Quad quad;
                UNROLL for (int j = 0; j < QUAD; j++) {
                    quad.of[j] = sum[half][i][j];
                }
                reinterpret_cast<Quad*>(x + static_cast<int64_t>(row) * WIDTH)[columns] = quad;
            }
        }
    }
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

constexpr int TILE = 64;
constexpr int UPDATE_THREADS = TILE * TILE / QUAD / QUAD;
EXPORT(symmetric_update_tile, TILE);

/// Rows of [V W] or [W V], transposed.
template <int WIDTH>
using Transposed = Quad[2 * WIDTH][TILE / QUAD + 1];

template <int WIDTH>
__device__ void load_transposed(Transposed<WIDTH>& to, const float* left, const float* right, int firstRow, int m) {
    for (int i = threadIdx.x; i < TILE * WIDTH; i += UPDATE_THREADS) {
        int row = firstRow + i / WIDTH;
        int64_t from = static_cast<int64_t>(row) * WIDTH + i % WIDTH;
        elements(to[i % WIDTH])[i / WIDTH] = row < m ? left[from] : 0;
        elements(to[WIDTH + i % WIDTH])[i / WIDTH] = row < m ? right[from] : 0;
    }
}

/// A block owns a tile of the lower triangle and its mirror image.
template <int WIDTH>
__device__ void update(float* matrix, const float* v, const float* w, int n, int k) {
    SHARED(Transposed<WIDTH>[2], operands);
    auto& rows = operands[0];
    auto& columns = operands[1];
    int tileRow = 0;
    int tileColumn = static_cast<int>(blockIdx.x);
    while (tileColumn > tileRow) {
        tileRow++;
        tileColumn -= tileRow;
    }
    int first = k + WIDTH;
    int m = n - first;
    int64_t index = blockIdx.y;
    float* a = matrix + (index * n + first) * n + first;
    v += index * n * WIDTH;
    w += index * n * WIDTH;
    load_transposed<WIDTH>(rows, v, w, tileRow * TILE, m);
    load_transposed<WIDTH>(columns, w, v, tileColumn * TILE, m);
    __syncthreads();
    int thread = static_cast<int>(threadIdx.x);
    int row = thread / (TILE / QUAD);
    int column = thread % (TILE / QUAD);
    float sum[QUAD][QUAD] = {};
    UNROLL_BY(8) for (int p = 0; p < 2 * WIDTH; p++) {
        Quad by = rows[p][row];
        Quad of = columns[p][column];
        UNROLL for (int i = 0; i < QUAD; i++) {
            UNROLL for (int j = 0; j < QUAD; j++) {
                sum[i][j] += by.of[i] * of.of[j];
            }
        }
    }
    __syncthreads();
    constexpr int STRIDE = TILE + 1; // odd: rows and columns lie in different banks
    static_assert(sizeof(float) * STRIDE * TILE <= sizeof(operands), "the result takes the place of the operands");
    float* tile = elements(rows[0]);
    UNROLL for (int i = 0; i < QUAD; i++) {
        UNROLL for (int j = 0; j < QUAD; j++) {
            tile[(row * QUAD + i) * STRIDE + column * QUAD + j] = sum[i][j];
        }
    }
    __syncthreads();
    int rowsLeft = m - tileRow * TILE;
    int columnsLeft = m - tileColumn * TILE;
    for (int i = thread; i < TILE * TILE; i += UPDATE_THREADS) {
        int64_t at = static_cast<int64_t>(tileRow * TILE + i / TILE) * n + tileColumn * TILE + i % TILE;
        if (i / TILE < rowsLeft && i % TILE < columnsLeft) {
            float* element = tile + i / TILE * STRIDE + i % TILE;
            *element = a[at] - *element;
            a[at] = *element;
        }
    }
    if (tileRow == tileColumn) {
        return; // the whole block
    }
    __syncthreads();
    for (int i = thread; i < TILE * TILE; i += UPDATE_THREADS) {
        if (i / TILE < columnsLeft && i % TILE < rowsLeft) {
            a[static_cast<int64_t>(tileColumn * TILE + i / TILE) * n + tileRow * TILE + i % TILE] =
                tile[i % TILE * STRIDE + i / TILE];
        }
    }
}

#define BAND(WIDTH) \
    EXPORT(symmetric_panel##WIDTH##_f32_threads, (WIDTH)*WARP); \
    EXPORT(symmetric_multiply##WIDTH##_f32_threads, MULTIPLY_THREADS<WIDTH>); \
    EXPORT(symmetric_correct##WIDTH##_f32_threads, GROUPS<WIDTH> * (WIDTH)); \
    EXPORT(symmetric_update##WIDTH##_f32_threads, UPDATE_THREADS); \
    KERNEL(symmetric_panel##WIDTH##_f32, (WIDTH)*WARP, float* v, float* t, float* matrix, int n, int k) { \
        factor_panel<WIDTH>(v, t, matrix, n, k); \
    } \
    KERNEL(symmetric_multiply##WIDTH##_f32, MULTIPLY_THREADS<WIDTH>, float* x, const float* v, const float* matrix, \
           int n, int k) { \
        multiply<WIDTH>(x, v, matrix, n, k); \
    } \
    KERNEL(symmetric_correct##WIDTH##_f32, GROUPS<WIDTH> * (WIDTH), float* w, const float* x, const float* v, \
           const float* t, int n, int k) { \
        correct<WIDTH>(w, x, v, t, n, k); \
    } \
    KERNEL(symmetric_update##WIDTH##_f32, UPDATE_THREADS, float* matrix, const float* v, const float* w, int n, \
           int k) { \
        update<WIDTH>(matrix, v, w, n, k); \
    }

BAND(16)
BAND(32)
