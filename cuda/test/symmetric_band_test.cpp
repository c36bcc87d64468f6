// The steps of the reduction of symmetric matrices to a band, each against plain loops in double.
#include "symmetric_launches.h"

#include <algorithm>

namespace {

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
}
