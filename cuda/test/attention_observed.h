// Attention statistics of a text and their tolerances.
#pragma once

#include "attention_text.h"

/// The kernels' statistics, [heads, capacity]; NaN where nothing was written.
struct Observed {
    int heads;
    int capacity;
    std::vector<float> logSumExp, logDiagonal, entropy, maximum, previous, distance;
    std::vector<double> columnSum;

    Observed(int heads, int capacity) : heads(heads), capacity(capacity) {
        for (auto* x : all()) {
            x->assign(static_cast<int64_t>(heads) * capacity, NAN);
        }
        columnSum.assign(static_cast<int64_t>(heads) * capacity, NAN);
    }

    std::vector<std::vector<float>*> all() {
        return {&logSumExp, &logDiagonal, &entropy, &maximum, &previous, &distance};
    }

    bool same(Observed& other) {
        bool same = same_bits(columnSum, other.columnSum);
        for (int i = 0; i < 6; i++) {
            same = same && same_bits(*all()[i], *other.all()[i]);
        }
        return same;
    }
};

/// Columns 0 .. tokens - 1 of [heads, capacity]; nothing may have been written beyond.
template <class X>
std::vector<X> used(const std::vector<X>& x, const Observed& observed, int tokens) {
    std::vector<X> columns;
    for (std::size_t i = 0; i < x.size(); i++) {
        if (static_cast<int>(i % observed.capacity) < tokens) {
            columns.push_back(x[i]);
        } else {
            CHECK(std::isnan(x[i]), "column %zu was written", i % observed.capacity);
        }
    }
    return columns;
}

/// Tolerances from the error of a score, and the additional error of distances.
inline void check_rows(int n, const Attention& expected, const Observed& observed, double error, double distanceError) {
    check_close(used(observed.logSumExp, observed, n), expected.logSumExp, error, 3e-7, "logSumExp");
    check_close(used(observed.logDiagonal, observed, n), expected.logDiagonal, 2 * error, 3e-7, "logDiagonal");
    check_close(used(observed.entropy, observed, n), expected.entropy, 4 * error * (1 + std::log(n)), 1e-6, "entropy");
    check_close(used(observed.maximum, observed, n), expected.maximum, 2 * error, 1e-6, "maximum");
    check_close(used(observed.previous, observed, n), expected.previous, 2 * error, 1e-6, "previous");
    check_close(used(observed.distance, observed, n), expected.distance, 2 * error + distanceError, 1e-6 + 2 * error,
                "distance");
}

inline void check_columns(int n, const Attention& expected, const Observed& observed, double error) {
    check_close(used(observed.columnSum, observed, n), expected.columnSum, 2 * error, 1e-6 + 3 * error, "columnSum");
}
