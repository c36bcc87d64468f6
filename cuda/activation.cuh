// Activation functions f and their derivatives f', see activation.cu; and the factor of a gate that depends on up.
#pragma once

#include "quad.cuh"

/// 1 / (1 + exp(-u)) and its derivative, both accurate for large |u|.
struct Sigmoid {
    float value;
    float slope;

    __device__ explicit Sigmoid(float u) {
        float e = expf(-fabsf(u));
        float inverse = 1 / (1 + e);
        value = u < 0 ? e * inverse : inverse;
        slope = e * inverse * inverse;
    }
};

/// up, unchanged.
struct PlainUp {
    static __device__ float up(float up) {
        return up;
    }
    static __device__ float upSlope(float) {
        return 1;
    }
};

struct Gelu : PlainUp {
    static __device__ float of(float x) {
        // erfc, because 1 + erf cancels completely for x far below 0
        return 0.5f * x * erfcf(-0.70710678f * x);
    }
    static __device__ float slope(float x) {
        return 0.5f * erfcf(-0.70710678f * x) + x * 0.39894228f * expf(-0.5f * x * x); // Phi + x phi
    }
};

struct GeluTanh : PlainUp {
    static __device__ float of(float x) {
        // (1 + tanh u) / 2 = 1 / (1 + exp(-2 u)), which does not cancel for u far below 0
        return x / (1 + expf(-2 * 0.79788456f * x * (1 + 0.044715f * x * x)));
    }
    static __device__ float slope(float x) {
        Sigmoid sigmoid(2 * 0.79788456f * x * (1 + 0.044715f * x * x));
        return sigmoid.value + x * sigmoid.slope * 2 * 0.79788456f * (1 + 3 * 0.044715f * x * x);
    }
};

struct Silu : PlainUp {
    static __device__ float of(float x) {
        return x / (1 + expf(-x));
    }
    static __device__ float slope(float x) {
        Sigmoid sigmoid(x);
        return sigmoid.value + x * sigmoid.slope;
    }
};

struct QuickGelu : PlainUp {
    static __device__ float of(float x) {
        return x / (1 + expf(-1.702f * x));
    }
    static __device__ float slope(float x) {
        Sigmoid sigmoid(1.702f * x);
        return sigmoid.value + 1.702f * x * sigmoid.slope;
    }
};

/// As in gpt-oss.
struct ClampedSilu {
    static __device__ float of(float x) {
        x = fminf(x, 7);
        return x / (1 + expf(-1.702f * x));
    }
    static __device__ float slope(float x) {
        Sigmoid sigmoid(1.702f * x);
        return x > 7 ? 0 : sigmoid.value + 1.702f * x * sigmoid.slope;
    }
    static __device__ float up(float up) {
        return fmaxf(fminf(up, 7), -7) + 1;
    }
    static __device__ float upSlope(float up) {
        return fabsf(up) > 7 ? 0 : 1;
    }
};

struct Relu : PlainUp {
    static __device__ float of(float x) {
        return fmaxf(x, 0);
    }
    static __device__ float slope(float x) {
        return x > 0 ? 1 : 0;
    }
};

/// The elements of this thread, neighbouring columns, in the rows [rows, 2 * width] of gate and up, which follow one another in
/// each row. Blocks do not cross rows: there are ceil(width / (QUAD * block size)) a row.
struct GateElements {
    int64_t row;
    int column;
    int width;
    int count; // 0 to QUAD

    __device__ explicit GateElements(int width) : width(width) {
        unsigned blocks = (width + QUAD * blockDim.x - 1) / (QUAD * blockDim.x);
        row = blockIdx.x / blocks;
        column = static_cast<int>(QUAD * (blockIdx.x % blocks * blockDim.x + threadIdx.x));
        count = max(0, min(QUAD, width - column));
    }

    /// Whether one instruction can read or write all of them.
    __device__ bool aligned() const {
        return width % QUAD == 0 && count == QUAD;
    }

    __device__ int64_t gate() const {
        return row * 2 * width + column;
    }
    __device__ int64_t up() const {
        return gate() + width;
    }
    /// In rows [rows, width].
    __device__ int64_t product() const {
        return row * width + column;
    }
};

/// Applies F(name, struct) to every activation.
#define FOR_EACH_ACTIVATION(F) \
    F(gelu, Gelu) F(gelu_tanh, GeluTanh) F(silu, Silu) F(quick_gelu, QuickGelu) F(clamped_silu, ClampedSilu) F(relu, Relu)
