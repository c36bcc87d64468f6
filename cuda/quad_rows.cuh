// Rows of quads in shared memory, which a warp or a block copies from global memory and writes back.
#pragma once

#include "quad.cuh"

/// LENGTH quads per row, permuted: the same quad of rows 0, 4, 8, .. lies in different banks.
///
/// THREADS threads copy or write `rows` rows of `columns` elements, which lie `stride` elements apart in global memory:
/// 16 bytes at a time if all of them are aligned to 16 bytes, otherwise 4.
template <int ROWS, int LENGTH, int THREADS>
class QuadRows {
public:
    /// Quad of row 4 four + i.
    __device__ Quad& at(unsigned four, unsigned i, unsigned quad) {
        return quads[four * QUAD + i][quad ^ four % BANKS];
    }

    __device__ Quad& at(unsigned row, unsigned quad) {
        return at(row / QUAD, row % QUAD, quad);
    }

    /// Where the first element lies that a thread copies.
    __device__ static int64_t offset(unsigned thread, int stride, bool aligned) {
        unsigned row = aligned ? thread / LENGTH : thread / SPAN;
        unsigned column = aligned ? thread % LENGTH * QUAD : thread % SPAN;
        return static_cast<int64_t>(row) * stride + column;
    }

    /// Starts to copy; what lies beyond the rows and columns becomes 0. `own` is the thread's first element, so that a
    /// thread that copies more than once can keep its address.
    __device__ void copy(unsigned thread, const float* own, int stride, int rows, int columns, bool aligned) {
        if (aligned) {
            copy_quads<LENGTH>(thread, 0, own, stride, rows, columns);
            return;
        }
        UNROLL for (int part = 0; part < LENGTH * QUAD; part += SPAN) {
            int column = part + static_cast<int>(thread % SPAN);
            int left = column < columns ? rows - static_cast<int>(thread / SPAN) : 0;
            UNROLL for (int i = 0; i < ROWS; i += THREADS / SPAN) {
                float& to = element(i + thread / SPAN, part + thread % SPAN);
                copy_word(&to, own + static_cast<int64_t>(i) * stride + part, i < left);
            }
        }
    }

    /// Starts to copy aligned rows to COUNT quads of each row, from `first` on.
    template <int COUNT>
    __device__ void copy_quads(unsigned thread, unsigned first, const float* own, int stride, int rows, int columns) {
        int column = static_cast<int>(thread % COUNT) * QUAD;
        int left = column < columns ? rows - static_cast<int>(thread / COUNT) : 0;
        UNROLL for (int i = 0; i < ROWS; i += THREADS / COUNT) {
            Quad& to = at(i + thread / COUNT, first + thread % COUNT);
            copy_chunk(to.of, own + static_cast<int64_t>(i) * stride, i < left);
        }
    }

    __device__ void write(unsigned thread, float* to, int stride, int rows, int columns, bool aligned) {
        if (aligned) {
            write_as<Quad>(thread, to, stride, rows, columns);
        } else {
            write_as<float>(thread, to, stride, rows, columns);
        }
    }

private:
    static constexpr unsigned BANKS = 8; // of 16 bytes
    static constexpr int SPAN = THREADS < LENGTH * QUAD ? THREADS : LENGTH * QUAD; // words of a row copied at a time
    static_assert(LENGTH % BANKS == 0, "rows are permuted by 8 quads");
    static_assert(THREADS % LENGTH == 0 && THREADS % SPAN == 0 && LENGTH * QUAD % SPAN == 0, "threads copy whole rows");
    Quad quads[ROWS][LENGTH];

    __device__ float& element(unsigned row, unsigned column) {
        return at(row, column / QUAD).of[column % QUAD];
    }

    /// In pieces of this type.
    template <class T>
    __device__ void write_as(unsigned thread, float* to, int stride, int rows, int columns) {
        constexpr int SIZE = sizeof(T) / sizeof(float);
        constexpr int ACROSS = LENGTH * QUAD / SIZE; // threads per row
        int row = static_cast<int>(thread / ACROSS);
        int column = static_cast<int>(thread % ACROSS) * SIZE;
        to += static_cast<int64_t>(row) * stride + column;
        int left = column < columns ? rows - row : 0;
        UNROLL for (int i = 0; i < ROWS; i += THREADS / ACROSS) {
            T piece = reinterpret_cast<T&>(element(i + thread / ACROSS, thread % ACROSS * SIZE));
            if (i < left) {
                *reinterpret_cast<T*>(to) = piece;
            }
            to += static_cast<int64_t>(THREADS / ACROSS) * stride;
        }
    }
};
