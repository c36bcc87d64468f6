// The emulator's interface: the counterpart of cuLaunchKernel and cuModuleGetGlobal.
#pragma once

#include <stdint.h>

#pragma GCC visibility push(default)
extern "C" {

/// Runs a kernel to completion. Arguments are pointers to each argument, like cuLaunchKernel's kernelParams. Returns 0,
/// or an error that headscope_last_error describes.
int headscope_launch(const char* kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                     unsigned block_y, unsigned block_z, unsigned shared_bytes, void** arguments);

/// Message of the calling thread's last failed launch.
const char* headscope_last_error();

/// The value of an exported constant; negative if there is none of that name.
int headscope_constant(const char* name);

/// The names of all kernels, one per line, sorted.
const char* headscope_kernels();

/// Encodes a tensor map like cuTensorMapEncodeTiled: a tensor whose axis 0 is contiguous, strides of the others in bytes,
/// a box per copy, and a swizzle of 0 or 128 bytes. Returns an empty string, or what the driver would refuse.
const char* headscope_tensor_map(void* map, int element_bytes, int axes, void* tensor, const uint64_t* extent,
                                 const uint64_t* stride, const uint32_t* box, int swizzle);

/// Sets the seed of the order in which the threads of a block run; 0 = by index.
void headscope_shuffle(unsigned long seed);
}
#pragma GCC visibility pop
