// Runs blocks on as many OS threads as there are cores.
#include "launch.h"

#include "emulator.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace emulator {

std::map<std::string, Kernel>& Kernel::all() {
    static std::map<std::string, Kernel> kernels;
    return kernels;
}

std::map<std::string, int>& Constant::all() {
    static std::map<std::string, int> constants;
    return constants;
}

Constant::Constant(const char* name, int value) {
    all()[name] = value;
}

namespace {
enum Result { DONE = 0, NO_SUCH_KERNEL = 1, BAD_LAUNCH = 2, STUCK = 3 };

constexpr unsigned MOST_WORKERS = 8;
constexpr unsigned MOST_SHARED = 227 * 1024;
constexpr std::uint64_t MOST_GRID_X = 0x7fffffff;
constexpr unsigned MOST_GRID_YZ = 65535;

thread_local std::string lastError;
std::atomic<std::uint64_t> seed = 0;

int fail(Result result, std::string message) {
    lastError = std::move(message);
    return result;
}

std::string names(const std::map<std::string, Kernel>& kernels, const char* separator) {
    std::string joined;
    for (auto& [name, kernel] : kernels) {
        joined += (joined.empty() ? "" : separator) + name;
    }
    return joined;
}

/// Idle blocks for reuse: allocating their stacks takes longer than most launches.
class Idle {
public:
    std::unique_ptr<Block> take() {
        std::scoped_lock lock(mutex);
        if (blocks.empty()) {
            return std::make_unique<Block>();
        }
        std::unique_ptr<Block> block = std::move(blocks.back());
        blocks.pop_back();
        return block;
    }

    void give(std::unique_ptr<Block> block) {
        std::scoped_lock lock(mutex);
        blocks.push_back(std::move(block));
    }

private:
    std::mutex mutex;
    std::vector<std::unique_ptr<Block>> blocks;
};

Idle idle;

/// Runs all blocks on as many OS threads as there are cores. Returns the first error, or an empty string.
std::string run(const Launch& launch) {
    std::uint64_t blocks = static_cast<std::uint64_t>(launch.grid.x) * launch.grid.y * launch.grid.z;
    std::atomic<std::uint64_t> next = 0;
    std::mutex mutex;
    std::string error;
    auto work = [&] {
        std::unique_ptr<Block> block = idle.take();
        for (std::uint64_t index; (index = next++) < blocks;) {
            std::string message = block->run(launch, index);
            if (!message.empty()) {
                std::scoped_lock lock(mutex);
                error = error.empty() ? message : error;
                next = blocks;
            }
        }
        idle.give(std::move(block));
    };
    unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1u, MOST_WORKERS);
    std::vector<std::thread> others;
    for (std::uint64_t i = 1; i < std::min<std::uint64_t>(cores, blocks); i++) {
        others.emplace_back(work);
    }
    work();
    for (std::thread& other : others) {
        other.join();
    }
    return error;
}
} // namespace

} // namespace emulator

int headscope_launch(const char* kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                     unsigned block_y, unsigned block_z, unsigned shared_bytes, void** arguments) {
    using namespace emulator;
    auto found = Kernel::all().find(kernel);
    if (found == Kernel::all().end()) {
        return fail(NO_SUCH_KERNEL,
                    "no kernel named " + std::string(kernel) + "; there are " + names(Kernel::all(), ", "));
    }
    std::uint64_t threads = static_cast<std::uint64_t>(block_x) * block_y * block_z;
    std::uint64_t most = std::min(found->second.mostThreads, MAX_THREADS);
    if (threads == 0 || threads > most || grid_x == 0 || grid_x > MOST_GRID_X || grid_y == 0 || grid_y > MOST_GRID_YZ ||
        grid_z == 0 || grid_z > MOST_GRID_YZ || shared_bytes > MOST_SHARED) {
        return fail(BAD_LAUNCH, std::string(kernel) + ": grid " + std::to_string(grid_x) + " x " +
                                    std::to_string(grid_y) + " x " + std::to_string(grid_z) + ", " +
                                    std::to_string(threads) + " threads of at most " + std::to_string(most) + ", " +
                                    std::to_string(shared_bytes) + " bytes of shared memory");
    }
    Launch launch{kernel,
                  [&] { found->second.call(arguments); },
                  {grid_x, grid_y, grid_z},
                  {block_x, block_y, block_z},
                  shared_bytes,
                  seed};
    std::string error = run(launch);
    return error.empty() ? DONE : fail(STUCK, error);
}

const char* headscope_last_error() {
    return emulator::lastError.c_str();
}

int headscope_constant(const char* name) {
    auto found = emulator::Constant::all().find(name);
    return found == emulator::Constant::all().end() ? -1 : found->second;
}

const char* headscope_kernels() {
    static const std::string all = emulator::names(emulator::Kernel::all(), "\n");
    return all.c_str();
}

void headscope_shuffle(unsigned long seed) {
    emulator::seed = seed;
}
