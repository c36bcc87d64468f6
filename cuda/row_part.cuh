// A row in the registers of a block, read and written a quad at a time.
#pragma once

#include "quad.cuh"

/// Elements of a row that one thread keeps: few, so that a row of 2,048 occupies 256 threads, and that there are registers for
/// many threads.
constexpr int ROW_PART = 2 * QUAD;

/// A thread's part of a row. Its quads lie a block apart, so that neighbouring threads access neighbouring quads; those beyond
/// the row are 0.
struct RowPart {
    Quad quads[ROW_PART / QUAD] = {};

    __device__ RowPart(const float* row, int width) {
        each_quad(width, [&](int i, int column) { quads[i] = read_quad(row + column); });
    }

    /// Whether the parts of all threads make up a row of this width.
    static __device__ bool cover(int width) {
        return width % QUAD == 0 && width <= ROW_PART * static_cast<int>(blockDim.x);
    }

    __device__ float& operator[](int i) {
        return quads[i / QUAD].of[i % QUAD];
    }

    /// The sum of term(element).
    template <class Term>
    __device__ float sum(int width, Term term) const {
        float total = 0;
        each_quad(width, [&](int i, int) {
            UNROLL
            for (int j = 0; j < QUAD; j++) {
                total += term(quads[i].of[j]);
            }
        });
        return total;
    }

    template <class T>
    __device__ void write(T* row, int width) const {
        each_quad(width, [&](int i, int column) { write_quad(row + column, quads[i]); });
    }

private:
    /// Calls visit(i, column) for quad i, if it lies within the row.
    template <class Visit>
    static __device__ void each_quad(int width, Visit visit) {
        UNROLL
        for (int i = 0; i < ROW_PART / QUAD; i++) {
            int column = QUAD * static_cast<int>(i * blockDim.x + threadIdx.x);
            if (column < width) {
                visit(i, column);
            }
        }
    }
};
