// The part of NVIDIA's driver that Headscope calls, on top of the emulator, for tests. Built as libcuda.so.1 in its own
// folder, it lets JCuda's native library and the backend's device layer run without a GPU.
//
// Device memory is host memory, a kernel has finished when its launch returns, and a copy is made as late as events
// allow, which exposes missing waits. A captured stream records its operations instead, with copies of the arguments of
// launches. Device 0 has compute capability 9.0 and memory pools; device 1 has compute capability 8.6 and no pools.
#include "../launch.h"
#include "arguments.h"
#include "device_memory.h"
#include "status.h"
#include "stream.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace {
enum Attribute { CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76, SHARED_MEMORY_OPTIN = 97, MEMORY_POOLS = 115 };
enum FunctionAttribute { MOST_DYNAMIC_SHARED = 8 };

constexpr int CUDA_VERSION = 13000;
constexpr int DEVICES = 2;

/// The content of module files in tests: the emulator contains all kernels.
constexpr char IMAGE[] = "emulated";

/// A position in a stream.
struct Event {
    Stream* stream = nullptr;
    std::size_t until = 0;
    std::chrono::steady_clock::time_point time;
};

struct Function {
    std::string name;
    unsigned maxShared = 0; // 48 KiB; the static shared memory is not known here
};

std::map<std::string, Function> functions;
std::map<std::string, int> constants;
std::map<void*, std::size_t> pinned;
thread_local bool current = false;

bool is_pinned(const void* host, std::size_t bytes) {
    auto after = pinned.upper_bound(const_cast<void*>(host));
    if (after == pinned.begin()) {
        return false;
    }
    auto [start, length] = *std::prev(after);
    return static_cast<const char*>(host) + bytes <= static_cast<const char*>(start) + length;
}

int copy(Stream* stream, void* to, const void* from, std::size_t bytes) {
    auto made = [=] { std::memcpy(to, from, bytes); };
    if (stream->graph != nullptr) {
        stream->graph->nodes.emplace_back([=] { return made(), true; });
    } else {
        stream->copies.emplace_back(made);
    }
    return SUCCESS;
}
} // namespace

extern "C" {
int cuInit(unsigned) {
    return SUCCESS;
}

int cuGetErrorName(int status, const char** name) {
    static const std::map<int, const char*> names = {
        {INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE"},
        {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"},
        {INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE"},
        {INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT"},
        {INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE"},
        {LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED"},
        {CAPTURE_UNSUPPORTED, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"},
        {CAPTURE_INVALIDATED, "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"},
    };
    auto found = names.find(status);
    if (found == names.end()) {
        return INVALID_VALUE;
    }
    *name = found->second;
    return SUCCESS;
}

int cuDriverGetVersion(int* version) {
    *version = CUDA_VERSION;
    return SUCCESS;
}

int cuDeviceGetCount(int* count) {
    *count = DEVICES;
    return SUCCESS;
}

int cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    return ordinal >= 0 && ordinal < DEVICES ? SUCCESS : INVALID_DEVICE;
}

int cuDeviceGetName(char* name, int length, int) {
    std::snprintf(name, length, "Emulated GPU");
    return SUCCESS;
}

int cuDeviceGetUuid_v2(char* uuid, int device) {
    std::snprintf(uuid, 16, "emulated GPU %d", device);
    return SUCCESS;
}

int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
    *bytes = device_memory::TOTAL;
    return SUCCESS;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
    switch (attribute) {
    case CAPABILITY_MAJOR:
        *value = device == 0 ? 9 : 8;
        return SUCCESS;
    case CAPABILITY_MINOR:
        *value = device == 0 ? 0 : 6;
        return SUCCESS;
    case SHARED_MEMORY_OPTIN:
        *value = 227 << 10;
        return SUCCESS;
    case MEMORY_POOLS:
        *value = device == 0;
        return SUCCESS;
    default:
        return INVALID_VALUE;
    }
}

/// EMULATED_GPUS_IN_USE contains the ordinals, such as 01, of devices that other processes use exclusively.
int cuDevicePrimaryCtxRetain(void** context, int device) {
    static int only;
    const char* used = std::getenv("EMULATED_GPUS_IN_USE");
    if (used != nullptr && std::strchr(used, '0' + device) != nullptr) {
        return DEVICE_UNAVAILABLE;
    }
    *context = &only;
    return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int) {
    return SUCCESS;
}

int cuCtxSetCurrent(void* context) {
    current = context != nullptr;
    return SUCCESS;
}

int cuStreamCreate(Stream** stream, unsigned) {
    *stream = new Stream;
    return current ? SUCCESS : INVALID_CONTEXT;
}

int cuStreamSynchronize(Stream* stream) {
    if (stream->graph != nullptr) {
        return refuse();
    }
    stream->run(stream->queued());
    return SUCCESS;
}

int cuStreamDestroy_v2(Stream* stream) {
    stream->run(stream->queued());
    delete stream;
    return SUCCESS;
}

int cuEventCreate(Event** event, unsigned) {
    *event = new Event;
    return SUCCESS;
}

/// Events between streams, one of which is captured, are not emulated: refused.
int cuEventRecord(Event* event, Stream* stream) {
    if (stream->graph != nullptr) {
        return refuse();
    }
    *event = {stream, stream->queued(), std::chrono::steady_clock::now()};
    return SUCCESS;
}

int cuEventElapsedTime(float* milliseconds, const Event* start, const Event* end) {
    *milliseconds = std::chrono::duration<float, std::milli>(end->time - start->time).count();
    return SUCCESS;
}

int cuEventSynchronize(Event* event) {
    if (event->stream != nullptr && event->stream->graph != nullptr) {
        return refuse();
    }
    if (event->stream != nullptr) {
        event->stream->run(event->until);
    }
    return SUCCESS;
}

int cuStreamWaitEvent(Stream* stream, Event* event, unsigned) {
    return stream->graph != nullptr ? refuse() : cuEventSynchronize(event);
}

int cuEventDestroy_v2(Event* event) {
    delete event;
    return SUCCESS;
}

int cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
    *free = device_memory::free();
    *total = device_memory::TOTAL;
    return SUCCESS;
}

int cuMemAlloc_v2(char** pointer, std::size_t bytes) {
    return capturing != nullptr ? refuse()
           : current            ? device_memory::allocate(pointer, bytes, false)
                                : INVALID_CONTEXT;
}

/// In a captured stream, memory would be a node of the graph, which is not emulated: refused.
int cuMemAllocAsync(char** pointer, std::size_t bytes, Stream* stream) {
    return stream->graph != nullptr ? refuse()
           : current                ? device_memory::allocate(pointer, bytes, true)
                                    : INVALID_CONTEXT;
}

int cuMemFree_v2(char* pointer) {
    return capturing != nullptr ? refuse() : device_memory::release(pointer);
}

int cuMemFreeAsync(char* pointer, Stream* stream) {
    if (stream->graph != nullptr) {
        return refuse();
    }
    stream->run(stream->queued());
    return device_memory::release(pointer);
}

int cuIpcGetMemHandle(device_memory::Handle* handle, char* pointer) {
    return device_memory::name(handle, pointer);
}

int cuIpcOpenMemHandle_v2(char** pointer, device_memory::Handle handle, unsigned flags) {
    constexpr unsigned LAZY_PEER_ACCESS = 1; // CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS, which is required
    return !current                    ? INVALID_CONTEXT
           : flags != LAZY_PEER_ACCESS ? INVALID_VALUE
                                       : device_memory::open(pointer, handle);
}

int cuIpcCloseMemHandle(char* pointer) {
    return device_memory::close(pointer);
}

int cuDeviceGetDefaultMemPool(void** pool, int device) {
    static int only;
    *pool = &only;
    return device == 0 ? SUCCESS : INVALID_VALUE;
}

int cuMemPoolSetAttribute(void*, int, void*) {
    return SUCCESS;
}

int cuMemPoolTrimTo(void*, std::size_t) {
    return SUCCESS;
}

int cuMemHostAlloc(void** pointer, std::size_t bytes, unsigned) {
    if (capturing != nullptr) {
        return refuse();
    }
    *pointer = std::malloc(bytes);
    pinned[*pointer] = bytes;
    return SUCCESS;
}

int cuMemFreeHost(void* pointer) {
    if (pinned.erase(pointer) == 0) {
        return INVALID_VALUE;
    }
    std::free(pointer);
    return SUCCESS;
}

int cuMemsetD8Async(char* pointer, unsigned char value, std::size_t bytes, Stream* stream) {
    return stream->enqueue([=] { return std::memset(pointer, value, bytes) != nullptr; });
}

int cuMemcpyHtoDAsync_v2(char* device, const void* host, std::size_t bytes, Stream* stream) {
    return stream->graph != nullptr && !is_pinned(host, bytes) ? refuse() : copy(stream, device, host, bytes);
}

int cuMemcpyDtoHAsync_v2(void* host, const char* device, std::size_t bytes, Stream* stream) {
    return stream->graph != nullptr && !is_pinned(host, bytes) ? refuse() : copy(stream, host, device, bytes);
}

int cuMemcpyDtoDAsync_v2(char* to, const char* from, std::size_t bytes, Stream* stream) {
    return copy(stream, to, from, bytes);
}

int cuMemcpyDtoH_v2(void* host, const char* device, std::size_t bytes) {
    if (capturing != nullptr) {
        return refuse();
    }
    std::memcpy(host, device, bytes);
    return SUCCESS;
}

int cuModuleLoadData(void** module, const char* image) {
    static int only;
    *module = &only;
    return std::strncmp(image, IMAGE, sizeof(IMAGE) - 1) == 0 ? SUCCESS : INVALID_IMAGE;
}

int cuModuleUnload(void*) {
    return SUCCESS;
}

int cuModuleGetFunction(Function** function, void*, const char* name) {
    static const std::set<std::string> kernels = [] {
        std::istringstream lines(headscope_kernels());
        std::set<std::string> names;
        for (std::string line; std::getline(lines, line);) {
            names.insert(line);
        }
        return names;
    }();
    if (!kernels.contains(name)) {
        return NOT_FOUND;
    }
    *function = &functions.try_emplace(name, Function{name}).first->second;
    return SUCCESS;
}

int cuModuleGetGlobal_v2(int** pointer, std::size_t* bytes, void*, const char* name) {
    int value = headscope_constant(name);
    if (value < 0) {
        return NOT_FOUND;
    }
    *pointer = &(constants[name] = value);
    *bytes = sizeof(int);
    return SUCCESS;
}

int cuFuncSetAttribute(Function* function, int attribute, int value) {
    if (attribute != MOST_DYNAMIC_SHARED) {
        return INVALID_VALUE;
    }
    function->maxShared = value;
    return SUCCESS;
}

int cuTensorMapEncodeTiled(void* map, int type, unsigned axes, void* tensor, const std::uint64_t* extents,
                           const std::uint64_t* strides, const unsigned* box, const unsigned* steps, int interleave,
                           int swizzle, int /*promotion*/, int fill) {
    static const std::map<int, int> bytes = {{6, 2}, {7, 4}, {8, 8}, {9, 2}}; // of CUtensorMapDataType: F16, F32, F64, BF16
    constexpr int SWIZZLE_128_BYTES = 3;
    if (!bytes.contains(type) || interleave != 0 || fill != 0 || (swizzle != 0 && swizzle != SWIZZLE_128_BYTES) ||
        std::any_of(steps, steps + axes, [](unsigned step) { return step != 1; })) {
        return INVALID_VALUE;
    }
    const char* mistake = headscope_tensor_map(map, bytes.at(type), static_cast<int>(axes), tensor, extents, strides, box,
                                               swizzle == 0 ? 0 : 128);
    if (*mistake != 0) {
        std::fprintf(stderr, "%s\n", mistake);
        return INVALID_VALUE;
    }
    return SUCCESS;
}

int cuLaunchKernel(Function* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
                   unsigned blockZ, unsigned shared, Stream* stream, void** arguments, void**) {
    if (!current) {
        return INVALID_CONTEXT;
    }
    if (shared > function->maxShared) {
        return INVALID_VALUE;
    }
    auto launch = [=](void** values) {
        int status = headscope_launch(function->name.c_str(), gridX, gridY, gridZ, blockX, blockY, blockZ, shared, values);
        if (status != 0) {
            std::fprintf(stderr, "%s\n", headscope_last_error());
        }
        return status == 0;
    };
    if (stream->graph == nullptr) {
        stream->run(stream->queued());
        return launch(arguments) ? SUCCESS : LAUNCH_FAILED;
    }
    return stream->enqueue([=, copied = Arguments(arguments)]() mutable { return launch(copied.pointers().data()); });
}
}
