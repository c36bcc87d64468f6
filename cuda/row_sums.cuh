// Sums over the rows of one head's map, from which its metrics follow (RowSums.java).
#pragma once

#include "softmax_row.cuh"

constexpr int ROW_SUMS = 7;

struct RowSums {
    double x[ROW_SUMS] = {};

    /// Adds the row of a token. `keys` is the number of keys that it sees without a window.
    __device__ void add(const Statistics& rows, int64_t at, int token, int keys) {
        double entropy = rows.entropy[at];
        x[0] += rows.logDiagonal[at];
        x[1] += entropy;
        x[2] += keys > 1 ? entropy / log(static_cast<double>(keys)) : 0;
        x[3] += rows.distance[at];
        x[4] += token > 0 ? rows.previous[at] : 0;
        x[5] += exp(static_cast<double>(rows.logDiagonal[at]));
        x[6] += rows.maximum[at];
    }

    /// Adds these sums to the totals of the head, or sets them.
    __device__ void add_to(double* totals, bool set) const {
        for (int i = 0; i < ROW_SUMS; i++) {
            totals[i] = set ? x[i] : totals[i] + x[i];
        }
    }
};
