// From one element type to another.
//
//   convert_<to>_<from>  destination = source, rounded to the nearest, ties to even
//
// In      source [count]
// Out     destination [count], every element
// Launch  one thread per element: grid x = ceil(count / convert_threads), block convert_threads
// Cost    the bytes of both
// Rounds  once
// See     Backend.convert, test/elementwise_test.cpp
#include "kernel.cuh"

constexpr int THREADS = 256;
EXPORT(convert_threads, THREADS);

KERNEL(convert_f32_f32, THREADS, float* destination, const float* source, int64_t count) {
    int64_t i = element();
    if (i < count) {
        destination[i] = source[i];
    }
}
