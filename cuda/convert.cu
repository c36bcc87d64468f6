// Conversion between fp32, fp16 and bf16.
//
//   convert_<to>_<from>  destination = source, rounded to nearest, ties to even
//
// In      source [count]
// Out     destination [count], every element; infinite on overflow; NaN becomes NaN
// Launch  one thread per 4 elements: grid x = ceil(count / convert_elements), block convert_threads
// Cost    the bytes of source and destination
// Rounds  once
// See     Backend.convert, test/elementwise_test.cpp
#include "quad.cuh"

constexpr int THREADS = 256;
EXPORT(convert_threads, THREADS);
EXPORT(convert_elements, QUAD* THREADS);

template <class To, class From>
__device__ void convert(To* destination, const From* source, int64_t count) {
    int64_t first = QUAD * element();
    if (first + QUAD <= count && has_quads(destination) && has_quads(source)) {
        auto from = *reinterpret_cast<const QuadOf<From>*>(source + first);
        QuadOf<To> to;
        UNROLL for (int i = 0; i < QUAD; i++) {
            to.of[i] = from_float<To>(to_float(from.of[i]));
        }
        *reinterpret_cast<QuadOf<To>*>(destination + first) = to;
        return;
    }
    for (int64_t i = first; i < min(first + QUAD, count); i++) {
        destination[i] = from_float<To>(to_float(source[i]));
    }
}

#define CONVERT(to, To, from, From) \
    KERNEL(convert_##to##_##from, THREADS, To* destination, const From* source, int64_t count) { \
        convert<To, From>(destination, source, count); \
    }
#define CONVERT_TO(to, To) CONVERT(to, To, f32, float) CONVERT(to, To, f16, F16) CONVERT(to, To, bf16, Bf16)

CONVERT_TO(f32, float)
CONVERT_TO(f16, F16)
CONVERT_TO(bf16, Bf16)
