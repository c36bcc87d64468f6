// Launches of the kernels that reduce symmetric matrices.
#pragma once

#include "check.h"

namespace {

const int MATRICES = 3;
const std::vector<int> WIDTHS = {16, 32}; // of bands

/// Rows of panels are aligned as the kernels read them.
struct alignas(16) Quad {
    float of[4];
};

/// Unwritten rows of a panel.
std::vector<Quad> panel_rows(int rows, int width) {
    return std::vector<Quad>(rows * width / 4, Quad{{NAN, NAN, NAN, NAN}});
}

/// Launches the kernel for this number of rows, or width of the band.
template <class... A>
void launch_of_size(const char* part, int size, int64_t grid_x, int64_t grid_y, int shared, A... arguments) {
    std::string kernel = std::string("symmetric_") + part + std::to_string(size) + "_f32";
    launch(kernel.c_str(), grid_x, grid_y, {constant((kernel + "_threads").c_str()), shared}, arguments...);
}

void factor_panel(std::vector<Quad>& v, std::vector<Quad>& triangle, std::vector<float>& matrix, int width, int n,
                  int k) {
    int columns = static_cast<int>(8 * pieces(n - k - width, 32) * 32);
    launch_of_size("panel", width, MATRICES, 1, columns, v.data(), triangle.data(), matrix.data(), n, k);
}

void multiply(std::vector<Quad>& x, std::vector<Quad>& v, const float* matrix, int width, int n, int k) {
    int64_t tiles = pieces(n - k - width, constant("symmetric_multiply_rows"));
    launch_of_size("multiply", width, tiles, MATRICES, 0, x.data(), v.data(), matrix, n, k);
}

void update(float* matrix, std::vector<Quad>& v, std::vector<Quad>& w, int width, int n, int k) {
    int64_t tiles = pieces(n - k - width, constant("symmetric_update_tile"));
    launch_of_size("update", width, tiles * (tiles + 1) / 2, MATRICES, 0, matrix, v.data(), w.data(), n, k);
}

} // namespace
