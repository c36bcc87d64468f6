// Tensor maps for tests.
#pragma once

#include "../hopper.cuh"
#include "check.h"

/// Boxes of a row-major tensor [extents reversed]: axis 0 is contiguous, strides are in elements.
template <class T>
TensorMap map_of(const T* tensor, const std::vector<uint64_t>& extent, const std::vector<uint64_t>& stride,
                 const std::vector<uint32_t>& box, int swizzle = 128) {
    TensorMap map;
    std::vector<uint64_t> bytes;
    for (uint64_t elements : stride) {
        bytes.push_back(elements * sizeof(T));
    }
    const char* mistake = headscope_tensor_map(&map, sizeof(T), static_cast<int>(extent.size()), const_cast<T*>(tensor),
                                               extent.data(), bytes.data(), box.data(), swizzle);
    CHECK(*mistake == 0, "%s", mistake);
    return map;
}

/// Boxes of `rows` rows and 64 columns of a matrix.
template <class T>
TensorMap map_of_rows(const T* matrix, int64_t rows, int64_t columns, int boxRows) {
    return map_of(matrix, {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows)},
                  {static_cast<uint64_t>(columns)}, {64, static_cast<uint32_t>(boxRows)});
}
