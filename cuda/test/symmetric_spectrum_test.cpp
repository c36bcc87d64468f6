// Symmetrised normalised Laplacians and their eigenvalues, with all reductions, against Jacobi's rotations in
// double and against graphs with known spectra.
#include "check.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace {

const int MATRICES = 3;
const std::vector<int> WIDTHS = {16, 32}; // of bands
const double PI = std::acos(-1);

using Map = std::function<float(int matrix, int row, int column)>;

struct Spectrum {
    std::vector<float> eigenvalues;
    std::vector<double> moments;
    std::vector<double> defects;

    explicit Spectrum(int n) : eigenvalues(MATRICES * n, NAN), moments(MATRICES * 2, NAN), defects(MATRICES, NAN) {}
};

/// Rows of panels are aligned as the kernels read them.
struct alignas(16) Quad {
    float of[4];
};

/// Unwritten rows of a panel.
std::vector<Quad> panel_rows(int rows, int width) {
    return std::vector<Quad>(rows * width / 4, Quad{{NAN, NAN, NAN, NAN}});
}

struct Tridiagonal {
    std::vector<float> diagonal;
    std::vector<float> offDiagonal;

    explicit Tridiagonal(int n) : diagonal(MATRICES * n, NAN), offDiagonal(MATRICES * n, NAN) {}
};

/// Spectra of the Laplacians of maps, which it may overwrite.
using Spectra = std::function<void(Spectrum& to, std::vector<float>& maps, int n)>;

/// Launches the kernel for this number of rows, or width of the band.
template <class... A>
void launch_of_size(const char* part, int size, int64_t grid_x, int64_t grid_y, int shared, A... arguments) {
    std::string kernel = std::string("symmetric_") + part + std::to_string(size) + "_f32";
    launch(kernel.c_str(), grid_x, grid_y, {constant((kernel + "_threads").c_str()), shared}, arguments...);
}

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

void factor_panel(std::vector<Quad>& v, std::vector<Quad>& triangle, std::vector<float>& matrix, int width, int n,
                  int k) {
    int columns = static_cast<int>(8 * pieces(n - k - width, 32) * 32);
    launch_of_size("panel", width, MATRICES, 1, columns, v.data(), triangle.data(), matrix.data(), n, k);
}

std::vector<float> eigenvalues(Tridiagonal& of, int n) {
    std::vector<float> found(MATRICES * n, NAN);
    launch("symmetric_eigenvalues_f32", pieces(n, constant("symmetric_eigenvalues_block")), MATRICES,
           {constant("symmetric_eigenvalues_threads"), static_cast<int>(8 * pieces(n, 2) * 2)}, found.data(),
           of.diagonal.data(), of.offDiagonal.data(), n);
    return found;
}

void multiply(std::vector<Quad>& x, std::vector<Quad>& v, const float* matrix, int width, int n, int k) {
    int64_t tiles = pieces(n - k - width, constant("symmetric_multiply_rows"));
    launch_of_size("multiply", width, tiles, MATRICES, 0, x.data(), v.data(), matrix, n, k);
}

void update(float* matrix, std::vector<Quad>& v, std::vector<Quad>& w, int width, int n, int k) {
    int64_t tiles = pieces(n - k - width, constant("symmetric_update_tile"));
    launch_of_size("update", width, tiles * (tiles + 1) / 2, MATRICES, 0, matrix, v.data(), w.data(), n, k);
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

/// Symmetric matrices, `offset` elements behind an address that is a multiple of 16.
struct Matrices {
    int n;
    int offset;
    std::vector<Quad> memory;

    Matrices(std::mt19937_64& random, int n, int offset)
        : n(n), offset(offset), memory(pieces(offset + MATRICES * n * n, 4)) {
        std::normal_distribution<float> normal;
        for (int matrix = 0; matrix < MATRICES; matrix++) {
            for (int row = 0; row < n; row++) {
                for (int column = 0; column <= row; column++) {
                    at(matrix, row, column) = at(matrix, column, row) = normal(random);
                }
            }
        }
    }

    float* data() {
        return memory[0].of + offset;
    }

    float& at(int matrix, int row, int column) {
        return data()[(matrix * n + row) * n + column];
    }
};

/// Random rows 0 .. rows - 1 of the panels [MATRICES, n, width]; the others are unwritten.
std::vector<Quad> random_panels(std::mt19937_64& random, int rows, int width, int n) {
    auto panels = panel_rows(MATRICES * n, width);
    std::normal_distribution<float> normal;
    for (int i = 0; i < MATRICES * n * width; i++) {
        if (i / width % n < rows) {
            panels[0].of[i] = normal(random);
        }
    }
    return panels;
}

/// X = A V and A -= V W' + W V', of the last rows and columns of matrices that are aligned, or not.
void check_steps(std::mt19937_64& random, int rows, int width, int k, int offset) {
    int n = k + width + rows;
    situation = "multiplication and update of " + std::to_string(rows) + " rows, width " + std::to_string(width) +
                ", k = " + std::to_string(k) + ", offset " + std::to_string(offset);
    Matrices matrices(random, n, offset);
    Matrices before = matrices;
    auto v = random_panels(random, rows, width, n), w = random_panels(random, rows, width, n);
    auto x = panel_rows(MATRICES * n, width), again = x;
    multiply(x, v, matrices.data(), width, n, k);
    multiply(again, v, matrices.data(), width, n, k);
    CHECK(std::memcmp(x.data(), again.data(), x.size() * sizeof(Quad)) == 0, "the same product");
    update(matrices.data(), v, w, width, n, k);
    std::vector<double> products, expectedProducts, elements, expectedElements;
    int tile = constant("symmetric_update_tile");
    for (int matrix = 0; matrix < MATRICES; matrix++) {
        auto of = [&](const std::vector<Quad>& panels, int row, int column) {
            return static_cast<double>(panels[0].of[(matrix * n + row) * width + column]);
        };
        auto element = [&](Matrices& from, int row, int column) {
            return from.at(matrix, k + width + row, k + width + column);
        };
        for (int row = 0; row < n; row++) {
            for (int column = 0; column < width; column++) {
                if (row >= rows) {
                    CHECK(std::isnan(of(x, row, column)), "row %d of X was written", row);
                    continue;
                }
                double sum = 0;
                for (int depth = 0; depth < rows; depth++) {
                    sum += element(before, row, depth) * of(v, depth, column);
                }
                products.push_back(of(x, row, column));
                expectedProducts.push_back(sum);
            }
        }
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < rows; column++) {
                double sum = element(before, row, column);
                for (int p = 0; p < width; p++) {
                    sum -= of(v, row, p) * of(w, column, p) + of(w, row, p) * of(v, column, p);
                }
                elements.push_back(element(matrices, row, column));
                expectedElements.push_back(sum);
                CHECK(row / tile == column / tile ||
                          element(matrices, row, column) == element(matrices, column, row),
                      "symmetric at %d, %d", row, column);
            }
        }
        for (int i = 0; i < n * n; i++) {
            CHECK(std::min(i / n, i % n) >= k + width ||
                      matrices.at(matrix, i / n, i % n) == before.at(matrix, i / n, i % n),
                  "element %d, %d was changed", i / n, i % n);
        }
    }
    check_close(products, expectedProducts, 6e-8 * 4 * (rows + 24), 0, "element of X");
    check_close(elements, expectedElements, 6e-8 * 20 * 2 * width, 0, "element of A"); // sums of up to 20 or so
}

/// The panel is (I - V T V') R, with each way to hold its columns.
void check_panel(std::mt19937_64& random, int rows, int width) {
    int n = rows + width;
    situation = "panel of " + std::to_string(rows) + " rows, width " + std::to_string(width);
    std::normal_distribution<float> normal;
    std::vector<float> matrix(MATRICES * n * n);
    for (int i = 0; i < MATRICES * n * n; i++) {
        int row = i / n % n;
        int column = i % n;
        matrix[i] = row <= column ? normal(random) : matrix[i / (n * n) * n * n + column * n + row];
    }
    std::vector<float> before = matrix;
    auto v = panel_rows(MATRICES * n, width), triangle = panel_rows(MATRICES * width, width);
    factor_panel(v, triangle, matrix, width, n, 0);
    const float* vs = v[0].of;
    const float* triangles = triangle[0].of;
    for (int i = 0; i < MATRICES; i++) {
        auto element = [&](const std::vector<float>& of, int row, int column) {
            return static_cast<double>(of[(i * n + width + row) * n + column]);
        };
        auto r = [&](int row, int column) { return row <= column && row < rows ? element(matrix, row, column) : 0; };
        std::vector<double> actual, expected;
        for (int c = 0; c < width; c++) {
            std::vector<double> product(width, 0), turned(width, 0); // V' R, T V' R
            for (int p = 0; p < width; p++) {
                for (int row = 0; row < std::min(rows, width); row++) {
                    product[p] += vs[(i * n + row) * width + p] * r(row, c);
                }
            }
            for (int p = 0; p < width; p++) {
                for (int q = 0; q < width; q++) {
                    turned[p] += triangles[(i * width + p) * width + q] * product[q];
                }
            }
            for (int row = 0; row < rows; row++) {
                double sum = r(row, c);
                for (int p = 0; p < width; p++) {
                    sum -= vs[(i * n + row) * width + p] * turned[p];
                }
                actual.push_back(sum);
                expected.push_back(element(before, row, c));
            }
        }
        check_close(actual, expected, 6e-8 * (rows + 24) + 1e-5, 0, "element");
    }
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
    for (int rows : {2, 31, 32, 33, 255, 256, 257, 513, 1025}) {
        for (int width : WIDTHS) {
            check_panel(random, rows, width);
        }
    }
    for (int rows : {2, 3, 8, 9, 33, 63, 64, 66, 128, 132, 261}) {
        for (int width : WIDTHS) {
            check_steps(random, rows, width, 0, 0);
            check_steps(random, rows, width, 2 * width, rows % 4);
            check_steps(random, rows, width, width, 1);
        }
    }
    for (int n : {129, 192}) {
        check_shuffled_ring(random, n);
    }
}
