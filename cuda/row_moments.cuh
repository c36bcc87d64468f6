// Mean and standard deviation of a row, for layer normalisation and its gradient.
#pragma once

#include "block.cuh"

struct RowMoments {
    float mean;
    float inverse; // 1 / sqrt(variance + epsilon)
};

/// Called by the whole block. Synchronises.
__device__ inline RowMoments row_moments(const float* x, int width, float epsilon) {
    float sum = 0;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        sum += x[column];
    }
    float mean = block_sum(sum) / width;
    float squares = 0;
    for (int column = threadIdx.x; column < width; column += blockDim.x) {
        float centred = x[column] - mean;
        squares += centred * centred;
    }
    // rsqrtf is accurate to 2 ulp, the quotient of correctly rounded operations to 1 ulp
    return {mean, 1 / sqrtf(block_sum(squares) / width + epsilon)};
}
