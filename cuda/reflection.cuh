// Householder reflections in fp32 (Golub and Van Loan 2013, section 5.1).
#pragma once

#include "warp.cuh"

/// Smaller sums of squares count as 0, which moves no eigenvalue by more than 2e-12. Far smaller squares are subnormal
/// and lose digits, and the reflection would not be orthogonal.
constexpr float LEAST_SQUARES = 1e-24f;

/// I - tau v v' maps x to beta e_1; v_1 = 1, the rest of v is x times `scale`.
struct Reflection {
    float beta;
    float tau;
    float scale;

    /// From x_1 and the sum of squares of the other elements.
    __device__ Reflection(float first, float squares) : beta(first), tau(0), scale(0) {
        if (squares > LEAST_SQUARES) {
            float norm = sqrtf(first * first + squares);
            beta = first > 0 ? -norm : norm;
            tau = (beta - first) / beta;
            scale = 1 / (first - beta);
        }
    }
};
