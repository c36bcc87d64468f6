// The part of cuBLAS that Headscope calls, emulated for tests, to go with the emulated driver. Plain loops over
// column-major matrices; sums in fp32.
#include "stream.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace {
enum Status { SUCCESS = 0, INVALID_VALUE = 7 };
enum Type { F32 = 0, F16 = 2, BF16 = 14 };
enum Compute { COMPUTE_F32 = 68, COMPUTE_TF32 = 77 };

struct Handle {
    Stream* stream = nullptr;
    bool workspace = false; // whether the caller has set one; otherwise products of a captured stream would allocate
};

float from_half(std::uint16_t bits) {
    int exponent = bits >> 10 & 31;
    int fraction = bits & 1023;
    float size = exponent == 0    ? std::ldexp(fraction, -24)
                 : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                  : std::ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 ? -size : size;
}

/// fp32 rounded to tf32, which has 10 mantissa bits.
float cut(float x) {
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0xffffe000);
}

/// Element (row, column) of a matrix, or of its transpose.
float at(const void* matrix, int type, bool transposed, std::int64_t stride, std::int64_t row, std::int64_t column) {
    std::int64_t i = transposed ? column + row * stride : row + column * stride;
    if (type == F32) {
        return static_cast<const float*>(matrix)[i];
    }
    std::uint16_t bits = static_cast<const std::uint16_t*>(matrix)[i];
    return type == F16 ? from_half(bits) : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
} // namespace

extern "C" {
int cublasCreate_v2(Handle** handle) {
    *handle = new Handle;
    return SUCCESS;
}

int cublasDestroy_v2(Handle* handle) {
    delete handle;
    return SUCCESS;
}

int cublasSetStream_v2(Handle* handle, Stream* stream) {
    *handle = {stream};
    return SUCCESS;
}

int cublasSetWorkspace_v2(Handle* handle, void* workspace, std::size_t bytes) {
    handle->workspace = bytes > 0;
    return workspace != nullptr && reinterpret_cast<std::uintptr_t>(workspace) % 256 == 0 ? SUCCESS : INVALID_VALUE;
}

int cublasGetVersion_v2(Handle*, int* version) {
    *version = CUBLAS_VERSION;
    return SUCCESS;
}

int cublasGemmEx(Handle* handle, int transposeA, int transposeB, int m, int n, int k, const float* alpha, const void* a,
                 int aType, int aStride, const void* b, int bType, int bStride, const float* beta, float* c, int cType,
                 int cStride, int compute, int) {
    if (handle->stream == nullptr || (handle->stream->graph != nullptr && !handle->workspace) || aType != bType ||
        cType != F32 || (*beta != 0 && *beta != 1) || (compute != COMPUTE_F32 && compute != COMPUTE_TF32) || aStride < (transposeA ? k : m) ||
        bStride < (transposeB ? n : k) || cStride < m) {
        return INVALID_VALUE;
    }
    return handle->stream->enqueue([=, factor = *alpha, adds = *beta == 1] {
        for (int column = 0; column < n; column++) {
            for (int row = 0; row < m; row++) {
                float sum = 0;
                for (int i = 0; i < k; i++) {
                    float x = at(a, aType, transposeA, aStride, row, i);
                    float y = at(b, bType, transposeB, bStride, i, column);
                    sum += compute == COMPUTE_TF32 ? cut(x) * cut(y) : x * y;
                }
                float& element = c[row + static_cast<std::int64_t>(column) * cStride];
                element = adds ? element + factor * sum : factor * sum;
            }
        }
        return true;
    });
}
}
