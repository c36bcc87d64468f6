// Device memory of the emulated driver: host memory. What does not come from a pool lies in a file without a name, which
// another process opens through /proc. All functions return a Status.
#pragma once

#include <cstddef>

namespace device_memory {
constexpr std::size_t TOTAL = std::size_t{1} << 30;

/// A CUipcMemHandle.
struct Handle {
    int process;
    int file;
    std::size_t bytes;
    char unused[48];
};

/// Bytes that are left.
std::size_t free();

/// New memory, filled with ones, which exposes memory that is not cleared.
int allocate(char** pointer, std::size_t bytes, bool pooled);
int release(char* pointer);

/// Refuses memory of a pool, as NVIDIA's driver does.
int name(Handle* handle, char* pointer);

/// Memory of another process; a process cannot open its own.
int open(char** pointer, const Handle& handle);
int close(char* opened);
} // namespace device_memory
