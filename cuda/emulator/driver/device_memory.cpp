#include "device_memory.h"

#include "status.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace device_memory {
namespace {
struct Allocation {
    std::size_t bytes;
    int file; // -1 in a pool
};

std::map<char*, Allocation> allocated;
std::map<char*, std::size_t> opened;
std::size_t used = 0;
std::mutex mutex;

void* map(int file, std::size_t bytes) {
    return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
}
} // namespace

std::size_t free() {
    std::scoped_lock lock(mutex);
    return TOTAL - used;
}

int allocate(char** pointer, std::size_t bytes, bool pooled) {
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    std::scoped_lock lock(mutex);
    if (bytes > TOTAL - used) {
        return OUT_OF_MEMORY;
    }
    int file = -1;
    if (pooled) {
        *pointer = static_cast<char*>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
    } else {
        file = memfd_create("emulated device memory", MFD_CLOEXEC);
        void* mapped = file >= 0 && ftruncate(file, bytes) == 0 ? map(file, bytes) : MAP_FAILED;
        if (mapped == MAP_FAILED) {
            ::close(file);
            return OUT_OF_MEMORY;
        }
        *pointer = static_cast<char*>(mapped);
    }
    std::memset(*pointer, 0xff, bytes);
    allocated[*pointer] = {bytes, file};
    used += bytes;
    return SUCCESS;
}

int release(char* pointer) {
    std::scoped_lock lock(mutex);
    auto found = allocated.find(pointer);
    if (found == allocated.end()) {
        return INVALID_VALUE;
    }
    auto [bytes, file] = found->second;
    used -= bytes;
    allocated.erase(found);
    if (file < 0) {
        std::free(pointer);
    } else {
        munmap(pointer, bytes);
        ::close(file);
    }
    return SUCCESS;
}

int name(Handle* handle, char* pointer) {
    std::scoped_lock lock(mutex);
    auto found = allocated.find(pointer);
    if (found == allocated.end() || found->second.file < 0) {
        return INVALID_VALUE;
    }
    *handle = {getpid(), found->second.file, found->second.bytes, {}};
    return SUCCESS;
}

int open(char** pointer, const Handle& handle) {
    if (handle.process == getpid()) {
        return INVALID_CONTEXT;
    }
    std::string path = "/proc/" + std::to_string(handle.process) + "/fd/" + std::to_string(handle.file);
    int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    void* mapped = file >= 0 ? map(file, handle.bytes) : MAP_FAILED;
    ::close(file);
    if (mapped == MAP_FAILED) {
        return INVALID_HANDLE;
    }
    *pointer = static_cast<char*>(mapped);
    std::scoped_lock lock(mutex);
    opened[*pointer] = handle.bytes;
    return SUCCESS;
}

int close(char* pointer) {
    std::scoped_lock lock(mutex);
    auto found = opened.find(pointer);
    if (found == opened.end()) {
        return INVALID_VALUE;
    }
    munmap(pointer, found->second);
    opened.erase(found);
    return SUCCESS;
}
} // namespace device_memory
