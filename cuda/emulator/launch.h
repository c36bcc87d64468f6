// The emulator from outside: what a host does through cuLaunchKernel and cuModuleGetGlobal.
#pragma once

#pragma GCC visibility push(default)
extern "C" {

/// Runs a kernel to its end. Arguments are pointers to each argument, as cuLaunchKernel's kernelParams. 0, or an error
/// that headscope_last_error describes.
int headscope_launch(const char* kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                     unsigned block_y, unsigned block_z, unsigned shared_bytes, void** arguments);

/// Of the calling thread's last launch that failed.
const char* headscope_last_error();

/// A number that a kernel file exports; negative where there is none of that name.
int headscope_constant(const char* name);

/// The names of all kernels, one per line, sorted.
const char* headscope_kernels();

/// The order in which the threads of a block run: another one for every seed, by index for 0.
void headscope_shuffle(unsigned long seed);
}
#pragma GCC visibility pop
