// Gathers what a viewer needs of many heads into one buffer, which is downloaded at once.
//
//   sums    copies the sums over rows of each head, and its first column sum
//   cells   destination[h, r, b] = cells[h, firstRow + r, b], for means divided by the number of entries of the cell that
//           lie within the text
//   head    copies a head's newest row, column sums and log diagonal
//
// In      sums [heads, 7], of attention_sums.cu; columnSums [heads, capacity]; fp64. cells [heads, side, side]; mean is 0 for the maximum, else 1; fp32. row, logDiagonal, fp32, and columnSum, fp64:
//         a head's vectors [tokens]; row may be null
// Out     sumsCopy [heads, 8]; destination [heads, rows, side]; rowCopy, logDiagonalCopy, columnSumCopy [tokens]; every element
// Launch  sums: one thread per element, grid x = ceil(8 heads / attention_snapshot_threads); cells: one thread per element, grid x = ceil(count / attention_snapshot_threads), count = heads rows side; head:
//         one thread per token, grid x = ceil(tokens / attention_snapshot_threads); block attention_snapshot_threads
// Cost    sums: 128 bytes per head; cells: 8 bytes per element; head: 32 bytes per token
// Rounds  one division
// See     Backend.snapshot, AttentionAtlas, test/attention_atlas_test.cpp
#include "row_sums.cuh"

constexpr int THREADS = 256;
EXPORT(attention_snapshot_threads, THREADS);

KERNEL(attention_snapshot_sums_f64, THREADS, double* sumsCopy, const double* sums, const double* columnSums, int64_t count,
       int capacity) {
    int64_t i = element();
    if (i >= count) {
        return;
    }
    int64_t head = i / (ROW_SUMS + 1);
    int sum = static_cast<int>(i % (ROW_SUMS + 1));
    sumsCopy[i] = sum < ROW_SUMS ? sums[head * ROW_SUMS + sum] : columnSums[head * capacity];
}

/// Number of tokens of a text in a cell.
__device__ static float extent(int tokens, int cell, int bin) {
    int64_t rest = tokens - static_cast<int64_t>(cell) * bin;
    return static_cast<float>(rest < 0 ? 0 : rest < bin ? rest : bin);
}

KERNEL(attention_snapshot_cells_f32, THREADS, float* destination, const float* cells, int64_t count, int side, int firstRow,
       int rows, int tokens, int bin, int mean) {
    int64_t i = element();
    if (i >= count) {
        return;
    }
    int column = static_cast<int>(i % side);
    int row = firstRow + static_cast<int>(i / side % rows);
    float value = cells[(i / side / rows * side + row) * side + column];
    if (mean != 0) {
        float entries = extent(tokens, row, bin) * extent(tokens, column, bin);
        value = entries == 0 ? 0 : value / entries;
    }
    destination[i] = value;
}

KERNEL(attention_snapshot_head_f32, THREADS, double* columnSumCopy, float* rowCopy, float* logDiagonalCopy,
       const double* columnSum, const float* row, const float* logDiagonal, int tokens) {
    int64_t token = element();
    if (token >= tokens) {
        return;
    }
    columnSumCopy[token] = columnSum[token];
    logDiagonalCopy[token] = logDiagonal[token];
    if (row != nullptr) {
        rowCopy[token] = row[token];
    }
}
