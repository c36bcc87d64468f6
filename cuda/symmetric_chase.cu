// Reduction of symmetric band matrices to tridiagonal form by chasing bulges (Lang 1993, as LAPACK's sytrd_sb2st).
// Sweep s makes column s tridiagonal by a reflection of rows s + 1 .. s + WIDTH. From the right, the reflection fills the
// block below; its first column is reflected in turn, and so on to the end of the matrix:
//
//   task 0      x = column s of the rows s + 1 ..
//   task t > 0  B = the WIDTH columns left of the rows s + 1 + WIDTH t ..; B = B (I - tau v v'); x = its first column
//   then        v, tau from x; B = (I - tau v v') B; the block D on the diagonal of these rows becomes
//               (I - tau v v') D (I - tau v v')
//
// A warp has a sweep. Task t of sweep s + 1 needs task t + 1 of sweep s: it runs beside task t + lag, lag >= 2.
//
// In      matrix [matrices, n, n], fp32, of which the lower triangle within the band is read
// Out     diagonal, offDiagonal [matrices, n], fp32; the last element of offDiagonal is 0
// Scratch scratch [matrices, n, 2 WIDTH], fp32: the band; null if it is kept in shared memory
// Launch  WIDTH, 16 or 32, is part of the kernel's name. Grid x = matrices; block <kernel>_threads; if scratch is null,
//         dynamic shared memory 8 WIDTH n bytes beside symmetric_chase_static bytes
// Cost    7 WIDTH n^2 operations, in 2 n turns of up to n / (2 WIDTH) tasks; above n = 1,024, in more turns of up to
//         512 / WIDTH tasks
// Rounds  fp32, absolute error of n ulp of the norm, which is at most 2; bit-reproducible
// See     CudaBackend.symmetricSpectrum, symmetric_band.cu, test/symmetric_spectrum_test.cpp
#include "quad.cuh"
#include "reflection.cuh"

constexpr int ROWS = 512; // of the blocks of all warps
EXPORT(symmetric_chase_static, 2 * ROWS * 4); // bytes

template <int WIDTH>
constexpr int WARPS = ROWS / WIDTH;

/// The lower triangle of a band of twice the width, so that bulges fit: row i starts at element 2 WIDTH i with column
/// i - 2 WIDTH + 1.
template <int WIDTH>
struct Band {
    float* start;
    int n;

    /// The stride of rows at a fixed column is odd, so that the rows of a block lie in different banks.
    __device__ float& at(int row, int column) const {
        return start[row * (2 * WIDTH - 1) + column + 2 * WIDTH - 1];
    }
};

template <int WIDTH>
__device__ float dot(const float* row, const Quad* vector) {
    float sums[QUAD] = {}; // independent, as few warps run
    UNROLL for (int q = 0; q < WIDTH / QUAD; q++) {
        Quad quad = vector[q];
        UNROLL for (int i = 0; i < QUAD; i++) {
            sums[i] += row[q * QUAD + i] * quad.of[i];
        }
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <int WIDTH>
__device__ void subtract(float* row, float x, const Quad* vector) {
    UNROLL for (int q = 0; q < WIDTH / QUAD; q++) {
        Quad quad = vector[q];
        UNROLL for (int i = 0; i < QUAD; i++) {
            row[q * QUAD + i] -= x * quad.of[i];
        }
    }
}

/// The reflection that a warp chases through the matrix. The first lanes have a row or a column of a block each.
template <int WIDTH>
struct Chase {
    static_assert(WIDTH <= WARP, "lanes stand for rows and columns");
    Quad* v;
    Quad* w;
    float tau = 0;
    int lane = static_cast<int>(threadIdx.x) % WARP;
    bool used = lane < WIDTH;

    /// Multiplies the block left of the rows by the previous reflection. Returns the first element of the lane's row.
    __device__ float from_right(const Band<WIDTH>& band, int row) const {
        float b[WIDTH];
        bool there = used && row + lane < band.n;
        UNROLL for (int j = 0; j < WIDTH; j++) {
            b[j] = there ? band.at(row + lane, row - WIDTH + j) : 0;
        }
        subtract<WIDTH>(b, tau * dot<WIDTH>(b, v), v);
        UNROLL for (int j = 0; j < WIDTH; j++) {
            if (there) {
                band.at(row + lane, row - WIDTH + j) = b[j];
            }
        }
        return b[0];
    }

    /// Multiplies the block by the new reflection.
    __device__ void from_left(const Band<WIDTH>& band, int row) const {
        float b[WIDTH];
        UNROLL for (int i = 0; i < WIDTH; i++) {
            b[i] = used && row + i < band.n ? band.at(row + i, row - WIDTH + lane) : 0;
        }
        subtract<WIDTH>(b, tau * dot<WIDTH>(b, v), v);
        UNROLL for (int i = 0; i < WIDTH; i++) {
            if (used && row + i < band.n) {
                band.at(row + i, row - WIDTH + lane) = b[i];
            }
        }
    }

    /// Multiplies the block on the diagonal from both sides, as symmetric_reduction.cu does.
    __device__ void from_both(const Band<WIDTH>& band, int row, float vOfLane) const {
        float d[WIDTH];
        UNROLL for (int j = 0; j < WIDTH; j++) {
            int lower = row + max(lane, j);
            d[j] = used && lower < band.n ? band.at(lower, row + min(lane, j)) : 0;
        }
        float y = tau * dot<WIDTH>(d, v);
        float wOfLane = y - tau / 2 * warp_sum(y * vOfLane) * vOfLane;
        if (used) {
            elements(w)[lane] = wOfLane;
        }
        __syncwarp();
        subtract<WIDTH>(d, vOfLane, w);
        subtract<WIDTH>(d, wOfLane, v);
        UNROLL for (int j = 0; j < WIDTH; j++) {
            if (j <= lane && used && row + lane < band.n) {
                band.at(row + lane, row + j) = d[j];
            }
        }
    }

    __device__ void run(const Band<WIDTH>& band, int sweep, int task) {
        int row = sweep + 1 + task * WIDTH;
        int column = task == 0 ? sweep : row - WIDTH;
        float x;
        if (task == 0) {
            x = used && row + lane < band.n ? band.at(row + lane, column) : 0;
        } else {
            x = from_right(band, row);
        }
        Reflection reflection(__shfl_sync(ALL_LANES, x, 0), warp_sum(lane == 0 ? 0 : x * x));
        float vOfLane = lane == 0 ? 1 : x * reflection.scale;
        tau = reflection.tau;
        __syncwarp(); // the previous reflection has been read
        if (used) {
            elements(v)[lane] = vOfLane;
        }
        __syncwarp();
        if (task > 0) {
            from_left(band, row);
        }
        if (lane == 0) {
            band.at(row, column) = reflection.beta;
        }
        from_both(band, row, vOfLane);
    }
};

template <int WIDTH>
__device__ void chase_bulges(float* diagonal, float* offDiagonal, float* scratch, const float* matrix, int n) {
    constexpr int THREADS = WARPS<WIDTH> * WARP;
    DYNAMIC_SHARED(float, pool);
    SHARED(Quad[WARPS<WIDTH>][WIDTH / QUAD], v);
    SHARED(Quad[WARPS<WIDTH>][WIDTH / QUAD], w);
    int64_t index = blockIdx.x;
    int thread = static_cast<int>(threadIdx.x);
    Band<WIDTH> band{scratch == nullptr ? pool : scratch + index * n * 2 * WIDTH, n};
    for (int i = thread; i < n * 2 * WIDTH; i += THREADS) {
        int row = i / (2 * WIDTH);
        int column = row + i % (2 * WIDTH) - (2 * WIDTH - 1);
        band.start[i] = column >= 0 && row - column <= WIDTH ? matrix[(index * n + row) * n + column] : 0;
    }
    __syncthreads();
    Chase<WIDTH> chase{v[thread / WARP], w[thread / WARP]};
    int most = (n - 1 + WIDTH - 1) / WIDTH; // tasks of the first sweep
    int lag = max(2, (most + WARPS<WIDTH> - 1) / WARPS<WIDTH>);
    int sweep = thread / WARP;
    for (int time = 0; time <= lag * (n - 3); time++) {
        if (time - lag * sweep >= (n - 1 - sweep + WIDTH - 1) / WIDTH) {
            sweep += WARPS<WIDTH>;
        }
        if (time >= lag * sweep && sweep <= n - 3) {
            chase.run(band, sweep, time - lag * sweep);
        }
        __syncthreads();
    }
    for (int i = thread; i < n; i += THREADS) {
        diagonal[index * n + i] = band.at(i, i);
        offDiagonal[index * n + i] = i + 1 < n ? band.at(i + 1, i) : 0;
    }
}

#define CHASE(WIDTH) \
    EXPORT(symmetric_chase##WIDTH##_f32_threads, WARPS<WIDTH> * WARP); \
    KERNEL(symmetric_chase##WIDTH##_f32, WARPS<WIDTH> * WARP, float* diagonal, float* offDiagonal, float* scratch, \
           const float* matrix, int n) { \
        chase_bulges<WIDTH>(diagonal, offDiagonal, scratch, matrix, n); \
    }

CHASE(16)
CHASE(32)
