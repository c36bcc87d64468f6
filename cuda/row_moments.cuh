// Mean and standard deviation of a row, for layer normalisation and its gradient.
#pragma once

#include "block.cuh"

struct RowMoments {
    float mean;
    float inverse;
};

/// 1 / sqrt(variance + epsilon). NaN if the variance overflows: 0 would hide it, because it makes a row of zeros.
__device__ inline float inverse_deviation(float variance, float epsilon) {
    // rsqrtf is accurate to 2 ulp, the quotient of correctly rounded operations to 1 ulp
    float inverse = 1 / sqrtf(variance + epsilon);
    return inverse > 0 ? inverse : NAN;
}

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
    return {mean, inverse_deviation(block_sum(squares) / width, epsilon)};
}
