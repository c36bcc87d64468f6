// Symmetrised normalised Laplacians and their eigenvalues, with all reductions, against Jacobi's rotations in
// double and against graphs with known spectra.
#include "symmetric_launches.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace {

const double PI = std::acos(-1);

using Map = std::function<float(int matrix, int row, int column)>;

struct Spectrum {
    std::vector<float> eigenvalues;
    std::vector<double> moments;
    std::vector<double> defects;

    explicit Spectrum(int n) : eigenvalues(MATRICES * n, NAN), moments(MATRICES * 2, NAN), defects(MATRICES, NAN) {}
};

struct Tridiagonal {
    std::vector<float> diagonal;
    std::vector<float> offDiagonal;

    explicit Tridiagonal(int n) : diagonal(MATRICES * n, NAN), offDiagonal(MATRICES * n, NAN) {}
};

/// Spectra of the Laplacians of maps, which it may overwrite.
using Spectra = std::function<void(Spectrum& to, std::vector<float>& maps, int n)>;

/// Rows of the smallest kernel that holds n rows in registers.
int register_rows(int n) {
    for (int rows : {32, 64, 128}) {
        if (n <= rows) {
            return rows;
        }
    }
    return 192;
}

void in_registers(Spectrum& to, std::vector<float>& map, int n) {
    launch_of_size("rows", register_rows(n), MATRICES, 1, 0, to.eigenvalues.data(), to.defects.data(),
                   to.moments.data(), map.data(), n);
}

std::vector<float> eigenvalues(Tridiagonal& of, int n) {
    std::vector<float> found(MATRICES * n, NAN);
    launch("symmetric_eigenvalues_f32", pieces(n, constant("symmetric_eigenvalues_block")), MATRICES,
           {constant("symmetric_eigenvalues_threads"), static_cast<int>(8 * pieces(n, 2) * 2)}, found.data(),
           of.diagonal.data(), of.offDiagonal.data(), n);
    return found;
}

void by_band(Spectrum& to, std::vector<float>& matrix, int n, int width) {
    std::vector<float> scales(MATRICES * n, NAN);
    int threads = constant("symmetric_laplacian_threads");
    int64_t squares = pieces(n, constant("symmetric_laplacian_tile"));
    launch("symmetric_scales_f32", squares, MATRICES, threads, scales.data(), matrix.data(), n);
    launch("symmetric_laplacian_f32", squares * (squares + 1) / 2, MATRICES, threads, matrix.data(), scales.data(), n);
    launch("symmetric_moments_f32", MATRICES, 1, threads, to.moments.data(), matrix.data(), n);
    auto v = panel_rows(MATRICES * n, width), w = v, x = v, triangle = panel_rows(MATRICES * width, width);
    for (int k = 0; n - k - width >= 2; k += width) {
        factor_panel(v, triangle, matrix, width, n, k);
        multiply(x, v, matrix.data(), width, n, k);
        launch_of_size("correct", width, MATRICES, 1, 0, w.data(), x.data(), v.data(), triangle.data(), n, k);
        update(matrix.data(), v, w, width, n, k);
    }
    bool shared = n < 100; // otherwise in memory
    std::vector<float> band(shared ? 0 : MATRICES * 2 * width * n, NAN);
    Tridiagonal t(n);
    launch_of_size("chase", width, MATRICES, 1, shared ? 8 * width * n : 0, t.diagonal.data(), t.offDiagonal.data(),
                   shared ? nullptr : band.data(), matrix.data(), n);
    to.eigenvalues = eigenvalues(t, n);
    launch("symmetric_check_f32", MATRICES, 1, constant("symmetric_eigenvalues_threads"), to.defects.data(),
           to.eigenvalues.data(), to.moments.data(), n);
}

Spectrum spectrum(const Map& map, int n, const Spectra& spectra) {
    std::vector<float> maps(MATRICES * n * n);
    for (int i = 0; i < MATRICES * n * n; i++) {
        maps[i] = map(i / (n * n), i / n % n, i % n);
    }
    Spectrum found(n);
    spectra(found, maps, n);
    return found;
}

/// Eigenvalues by Jacobi's rotations (1846), ascending.
std::vector<double> reference(const Map& map, int matrix, int n) {
    std::vector<double> scale(n);
    auto weight = [&](int i, int j) { return (static_cast<double>(map(matrix, i, j)) + map(matrix, j, i)) / 2; };
    for (int i = 0; i < n; i++) {
        double degree = 0;
        for (int j = 0; j < n; j++) {
            degree += weight(i, j);
        }
        scale[i] = degree > 0 ? 1 / std::sqrt(degree) : 0;
    }
    std::vector<double> a(n * n);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            a[i * n + j] = (i == j) - scale[i] * weight(i, j) * scale[j];
        }
    }
    for (int sweep = 0; sweep < 12; sweep++) {
        for (int p = 0; p < n; p++) {
            for (int q = p + 1; q < n; q++) {
                if (a[p * n + q] == 0) {
                    continue;
                }
                double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
                double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
                double c = 1 / std::sqrt(t * t + 1);
                for (int i = 0; i < n; i++) {
                    double first = a[i * n + p];
                    double second = a[i * n + q];
                    a[i * n + p] = c * first - c * t * second;
                    a[i * n + q] = c * t * first + c * second;
                }
                for (int i = 0; i < n; i++) {
                    double first = a[p * n + i];
                    double second = a[q * n + i];
                    a[p * n + i] = c * first - c * t * second;
                    a[q * n + i] = c * t * first + c * second;
                }
            }
        }
    }
    std::vector<double> eigenvalues(n);
    for (int i = 0; i < n; i++) {
        eigenvalues[i] = a[i * n + i];
    }
    std::sort(eigenvalues.begin(), eigenvalues.end());
    return eigenvalues;
}

/// fp32 rounds to 6e-8; the errors of Householder steps accumulate like the root of their number, in the worst case
/// linearly.
double tolerance(int n) {
    return (n + 24) * 6e-8 * 2;
}

/// Trace and sum of squares of each matrix.
std::vector<double> moments(const std::vector<double>& eigenvalues) {
    std::vector<double> all(MATRICES * 2);
    std::size_t n = eigenvalues.size() / MATRICES;
    for (std::size_t i = 0; i < eigenvalues.size(); i++) {
        all[i / n * 2] += eigenvalues[i];
        all[i / n * 2 + 1] += eigenvalues[i] * eigenvalues[i];
    }
    return all;
}

void check(const char* what, const Map& map, int n, const std::vector<double>& expected) {
    struct Way {
        std::string name;
        Spectra spectra;
        int limit;
    };
    std::vector<Way> ways = {{"registers", in_registers, 192}};
    for (int width : WIDTHS) {
        ways.push_back({"a band of " + std::to_string(width),
                        [=](Spectrum& to, std::vector<float>& maps, int n) { by_band(to, maps, n, width); }, 4096});
    }
    for (const Way& way : ways) {
        if (n <= way.limit) {
            situation = std::string(what) + ", n = " + std::to_string(n) + ", by " + way.name;
            Spectrum found = spectrum(map, n, way.spectra);
            check_close(found.eigenvalues, expected, tolerance(n), 0, "eigenvalue");
            check_close(found.moments, moments(expected), tolerance(n) * 2 * n, 0, "moment");
            check_close(found.defects, std::vector<double>(MATRICES, 0), tolerance(n), 0, "defect");
        }
    }
}

std::vector<double> thrice(std::vector<double> once) {
    std::sort(once.begin(), once.end());
    std::vector<double> all;
    for (int i = 0; i < MATRICES; i++) {
        all.insert(all.end(), once.begin(), once.end());
    }
    return all;
}

void check_maps(const char* what, const std::vector<float>& maps, int n) {
    Map map = [&](int matrix, int row, int column) { return maps[(matrix * n + row) * n + column]; };
    std::vector<double> expected;
    for (int matrix = 0; matrix < MATRICES; matrix++) {
        std::vector<double> one = reference(map, matrix, n);
        expected.insert(expected.end(), one.begin(), one.end());
    }
    check(what, map, n, expected);
}

/// Causal maps with rows that sum to one; one token of the last map has no links.
void check_random(std::mt19937_64& random, int n) {
    std::vector<float> maps(MATRICES * n * n);
    std::exponential_distribution<float> exponential(1);
    for (int row = 0; row < MATRICES * n; row++) {
        float sum = 0;
        for (int j = 0; j <= row % n; j++) {
            sum += maps[row * n + j] = exponential(random);
        }
        for (int j = 0; j <= row % n; j++) {
            maps[row * n + j] /= sum;
        }
    }
    int alone = n - 1;
    for (int j = 0; j < n; j++) {
        maps[((MATRICES - 1) * n + alone) * n + j] = 0;
    }
    check_maps("random", maps, n);
}

/// Every row attends to one of the last few tokens and hardly to the others: squares of such weights underflow.
void check_weak_links(std::mt19937_64& random, int n) {
    const int window = 5;
    std::vector<float> maps(MATRICES * n * n);
    std::uniform_real_distribution<float> exponent(-60, -40);
    for (int row = 0; row < MATRICES * n; row++) {
        int token = row % n;
        int first = std::max(0, token - window + 1);
        for (int j = first; j <= token; j++) {
            maps[row * n + j] = std::exp(exponent(random));
        }
        maps[row * n + std::uniform_int_distribution<int>(first, token)(random)] = 1;
    }
    check_maps("weak links", maps, n);
}

/// Sinks take nearly all of every row: its weights are subnormal numbers.
void check_drained(std::mt19937_64& random, int n) {
    std::vector<float> maps(MATRICES * n * n);
    std::uniform_int_distribution<int> multiple(1, 99);
    for (int i = 0; i < MATRICES * n * n; i++) {
        maps[i] = i % n <= i / n % n ? static_cast<float>(multiple(random)) * 0x1p-149f : 0;
    }
    check_maps("drained", maps, n);
}

void check_closed_forms(int n) {
    // Complete graph: eigenvalue 0 once, otherwise 1.
    std::vector<double> uniform(n, 1);
    uniform[0] = 0;
    check("uniform", [n](int, int, int) { return 1.0f / n; }, n, thrice(uniform));
    // No edges.
    check(
        "identity", [](int, int row, int column) { return row == column ? 1.0f : 0.0f; }, n,
        thrice(std::vector<double>(n, 0)));
    // Ring: 1 - cos(2 pi k / n), in pairs.
    std::vector<double> ring(n);
    for (int k = 0; k < n; k++) {
        ring[k] = 1 - std::cos(2 * PI * k / n);
    }
    check("ring", [n](int, int row, int column) { return column == (row + 1) % n ? 1.0f : 0.0f; }, n, thrice(ring));
}

/// A ring whose tokens follow in random order, so that the matrix is not a band from the start.
void check_shuffled_ring(std::mt19937_64& random, int n) {
    std::vector<int> next(n), order(n);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    std::vector<double> ring(n);
    for (int k = 0; k < n; k++) {
        next[order[k]] = order[(k + 1) % n];
        ring[k] = 1 - std::cos(2 * PI * k / n);
    }
    check(
        "shuffled ring", [&](int, int row, int column) { return column == next[row] ? 1.0f : 0.0f; }, n, thrice(ring));
}

/// Diagonal matrices whose elements are the points at which the bisection counts first: q is 0 beside a square of 0.
void check_exact_points(std::mt19937_64& random) {
    int n = constant("symmetric_eigenvalues_threads") + 2;
    situation = "exact points";
    Tridiagonal matrices(n);
    std::vector<double> expected(n);
    std::iota(expected.begin(), expected.end(), 0);
    for (int i = 0; i < MATRICES; i++) {
        std::copy(expected.begin(), expected.end(), matrices.diagonal.begin() + i * n);
        std::shuffle(matrices.diagonal.begin() + i * n, matrices.diagonal.begin() + (i + 1) * n, random);
    }
    std::fill(matrices.offDiagonal.begin(), matrices.offDiagonal.end(), 0);
    check_close(eigenvalues(matrices, n), thrice(expected), 6e-8 * 4 * n, 0, "eigenvalue");
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    for (int n : {1, 2, 3, 17, 18, 31, 32, 33, 65}) {
        check_random(random, n);
        check_weak_links(random, n);
        check_drained(random, n);
    }
    for (int n : {2, 32, 97}) {
        check_closed_forms(n);
    }
    check_exact_points(random);
    for (int n : {129, 192}) {
        check_shuffled_ring(random, n);
    }
}
