// The emulator itself: its results, and its reports of hangs and undefined behaviour.
#include "../warp.cuh"
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

namespace {
constexpr int THREADS = 128;
constexpr int PER_LANE = 8;
} // namespace

KERNEL(lanes, THREADS, int* observed) {
    int lane = threadIdx.x % WARP;
    int* own = observed + (blockIdx.x * blockDim.x + threadIdx.x) * PER_LANE;
    own[0] = __shfl_sync(ALL_LANES, lane, 5);
    own[1] = __shfl_xor_sync(ALL_LANES, lane, 3);
    own[2] = __shfl_up_sync(ALL_LANES, lane, 2);
    own[3] = __shfl_down_sync(ALL_LANES, lane, 2, 8);
    own[4] = static_cast<int>(__ballot_sync(ALL_LANES, lane % 3 == 0));
    own[5] = __any_sync(ALL_LANES, lane == 7) + 2 * __all_sync(ALL_LANES, lane < 31);
    // One half of a warp, while the other half has continued.
    own[6] = lane < 16 ? __shfl_sync(0xffffu, lane, 3, 16) : -1;
    own[7] = warp_sum(lane);
}

KERNEL(reversed, THREADS, int* values) {
    SHARED(int[THREADS], pile);
    pile[threadIdx.x] = values[threadIdx.x];
    __syncthreads();
    values[threadIdx.x] = pile[blockDim.x - 1 - threadIdx.x];
}

KERNEL(counted, THREADS, int* count, int* blocks) {
    DYNAMIC_SHARED(int, pool);
    pool[threadIdx.x] = atomicAdd(count, 1);
    __syncthreads();
    blocks[(blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x] = pool[0];
}

KERNEL(unwritten, THREADS, float* value) {
    SHARED(float[4], pile);
    *value = pile[3];
}

KERNEL(divergent_barrier, THREADS, int limit) {
    if (static_cast<int>(threadIdx.x) < limit) {
        __syncthreads();
    }
}

KERNEL(two_barriers, THREADS, int limit) {
    if (static_cast<int>(threadIdx.x) < limit) {
        __syncthreads();
    } else {
        __syncthreads();
    }
}

KERNEL(missing_lane, THREADS, int* value) {
    if (threadIdx.x != 3) {
        *value = __shfl_xor_sync(ALL_LANES, 1, 1);
    }
}

KERNEL(foreign_lane, THREADS, int* value) {
    if (threadIdx.x < 16) {
        *value = __shfl_sync(0xffffu, 1, 20);
    }
}

/// Reads its neighbour's value without synchronising.
KERNEL(missing_syncwarp, THREADS, int* values) {
    SHARED(int[WARP], pile);
    pile[threadIdx.x] = static_cast<int>(threadIdx.x);
    values[threadIdx.x] = pile[threadIdx.x ^ 1];
}

/// Hands a value to the next lane; a shuffle is no barrier.
KERNEL(exchanged, THREADS, float* values, int barrier) {
    SHARED(Exchanged<float>[THREADS], pile);
    int lane = threadIdx.x % WARP;
    int first = threadIdx.x - lane;
    pile[threadIdx.x] = static_cast<float>(threadIdx.x);
    __shfl_xor_sync(ALL_LANES, lane, 1);
    if (barrier == 1) {
        __syncwarp();
    } else if (barrier == 2) {
        __syncthreads();
    }
    if (barrier == 3) {
        pile[first + (lane ^ 1)] = 0;
    }
    values[threadIdx.x] = barrier == 2 ? pile[blockDim.x - 1 - threadIdx.x] : pile[first + (lane ^ 1)];
}

KERNEL(exchanged_by_warps, THREADS, float* values) {
    SHARED(Exchanged<float>[THREADS], pile);
    pile[threadIdx.x] = static_cast<float>(threadIdx.x);
    __syncwarp();
    values[threadIdx.x] = pile[blockDim.x - 1 - threadIdx.x];
}

KERNEL(beyond_shared, THREADS, float* value, int index) {
    SHARED(float[8], pile);
    float* all = pile;
    all[threadIdx.x % 8] = 1;
    *value = all[index];
}

KERNEL(beyond_global, THREADS, float* values) {
    values[threadIdx.x] = 1;
}

namespace {

void check_lanes() {
    std::vector<int> observed(2 * THREADS * PER_LANE);
    launch("lanes", 2, 1, THREADS, observed.data());
    for (int thread = 0; thread < 2 * THREADS; thread++) {
        int lane = thread % 32;
        const int* own = observed.data() + thread * PER_LANE;
        int expected[PER_LANE] = {5,          lane ^ 3, lane < 2 ? lane : lane - 2, lane % 8 < 6 ? lane + 2 : lane,
                                  0x49249249, 1,        lane < 16 ? 3 : -1,         31 * 16};
        for (int i = 0; i < PER_LANE; i++) {
            CHECK(own[i] == expected[i], "thread %d, exchange %d: %d and not %d", thread, i, own[i], expected[i]);
        }
    }
}

void check_blocks() {
    std::vector<int> values(THREADS);
    for (int i = 0; i < THREADS; i++) {
        values[i] = i;
    }
    launch("reversed", 1, 1, THREADS, values.data());
    for (int i = 0; i < THREADS; i++) {
        CHECK(values[i] == THREADS - 1 - i, "element %d is %d", i, values[i]);
    }
    int count = 0;
    std::vector<int> blocks(3 * 4 * 5, -1);
    int* count_pointer = &count;
    int* blocks_pointer = blocks.data();
    void* arguments[] = {&count_pointer, &blocks_pointer};
    CHECK(headscope_launch("counted", 3, 4, 5, 8, 2, 1, 16 * sizeof(int), arguments) == 0, "%s",
          headscope_last_error());
    CHECK(count == 3 * 4 * 5 * 16, "%d threads ran", count);
    for (int first : blocks) {
        CHECK(first >= 0, "a block did not run");
    }
    float value = 0;
    launch("unwritten", 1, 1, 1, &value);
    CHECK(std::isnan(value), "shared memory began as %g", value);
}

template <class... A>
void check_reported(const char* text, const char* kernel, int block, A... arguments) {
    void* pointers[] = {&arguments...};
    int result = headscope_launch(kernel, 2, 1, 1, static_cast<unsigned>(block), 1, 1, 0, pointers);
    CHECK(result != 0, "%s was not reported", kernel);
    CHECK(std::strstr(headscope_last_error(), text), "%s: %s", kernel, headscope_last_error());
    CHECK(std::strstr(headscope_last_error(), kernel), "%s: %s", kernel, headscope_last_error());
}

void check_reports() {
    int value = 0;
    check_reported("(40, 0, 0) has ended", "divergent_barrier", 64, 40);
    check_reported("one barrier for both", "two_barriers", 64, 40);
    check_reported("thread (3, 0, 0) has ended", "missing_lane", 32, &value);
    check_reported("lane 20", "foreign_lane", 32, &value);
    check_reported("at most 128", "lanes", 256, &value);
    check_reported("there are", "no_such_kernel", 1, &value);
    CHECK(headscope_constant("no_such_constant") < 0, "a constant of no name");
    check_lanes(); // the failures leave no state behind
}

void check_exchange() {
    std::vector<float> values(THREADS);
    for (int barrier : {1, 2}) {
        launch("exchanged", 1, 1, THREADS, values.data(), barrier);
        for (int i = 0; i < THREADS; i++) {
            CHECK(values[i] == (barrier == 2 ? THREADS - 1 - i : i ^ 1), "value %d is %g", i, values[i]);
        }
    }
    check_reported("wrote what the thread reads", "exchanged", 64, values.data(), 0);
    check_reported("wrote what the thread overwrites", "exchanged", 64, values.data(), 3);
    check_reported("wrote what the thread reads", "exchanged_by_warps", 64, values.data());
}

void check_order() {
    bool exposed = false;
    for (unsigned long seed = 1; seed <= 4; seed++) {
        headscope_shuffle(seed);
        std::vector<int> values(WARP);
        launch("missing_syncwarp", 1, 1, WARP, values.data());
        for (int i = 0; i < WARP; i++) {
            exposed = exposed || values[i] != (i ^ 1);
        }
    }
    CHECK(exposed, "a missing __syncwarp went unnoticed");
    headscope_shuffle(SEED);
}

/// Exit status of a child process that runs the launch: 0, or that of AddressSanitizer.
template <class... A>
int status_of(const char* kernel, A... arguments) {
    std::fflush(nullptr);
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO); // the report is expected
        launch(kernel, 1, 1, 32, arguments...);
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

void check_bounds() {
    float value = 0;
    std::vector<float> values(31);
    std::vector<float> enough(32);
    CHECK(status_of("beyond_shared", &value, 7) == 0, "the last element");
    CHECK(status_of("beyond_shared", &value, 8) != 0, "a read beyond shared memory went unnoticed");
    CHECK(status_of("beyond_global", enough.data()) == 0, "the last element");
    CHECK(status_of("beyond_global", values.data()) != 0, "a write beyond global memory went unnoticed");
}

} // namespace

int main() {
    for (unsigned long seed : {0ul, SEED}) {
        headscope_shuffle(seed);
        check_lanes();
        check_blocks();
    }
    check_reports();
    check_exchange();
    check_order();
    check_bounds();
}
