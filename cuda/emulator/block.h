// One thread block on one OS thread: each CUDA thread is a fiber that runs until it waits for others.
#pragma once

#include "fiber.h"
#include "shared_memory.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct dim3 {
    unsigned x, y, z;
};

namespace emulator {

constexpr int WARP = 32;
constexpr int MAX_THREADS = 1024;

/// Position in a kernel where a thread waits.
struct Site {
    const char* operation;
    const char* file;
    int line;
};

/// The launch parameters shared by all blocks.
struct Launch {
    std::string kernel;
    std::function<void()> body;
    dim3 grid;
    dim3 block;
    unsigned shared_bytes;
    std::uint64_t seed; // seed of the thread order; 0 = by index
};

class Asynchrony;

class Block {
public:
    Block();
    ~Block();

    /// Runs one block to completion. Returns an error message, or an empty string.
    std::string run(const Launch& launch, std::uint64_t index);

    /// Waits for all threads of the block.
    void wait(Site site);

    /// Warp exchange: waits for all lanes of mask, then returns the value of lane `source`.
    std::uint64_t exchange(Site site, unsigned mask, std::uint64_t value, int source);

    /// Like exchange; returns one bit per lane of mask, set if its value is true. Ordering: what the lanes wrote before is
    /// visible to the others afterwards, which no other exchange promises.
    std::uint32_t ballot(Site site, unsigned mask, bool value, bool ordering = false);

    /// Operation of a warp: once all lanes have arrived, body is called once with the arguments of all lanes.
    void collective(Site site, void* own, void (*body)(void* const* all));

    /// Waits until ready() holds, which is asked when no thread can run. missing() says what the thread waits for.
    void wait_until(Site site, std::function<bool()> ready, std::function<std::string()> missing);

    /// Reports a mistake of the running thread; the block ends when the thread next waits or ends.
    void report(Site site, const std::string& mistake);

    int thread() const {
        return running;
    }

    int thread_count() const {
        return static_cast<int>(threads.size());
    }

    /// How often the thread's warp and its block have synchronised in a way that orders memory.
    std::pair<std::uint32_t, std::uint32_t> orderings(int thread) const {
        return {warpOrderings[thread / WARP], blockOrderings};
    }

    /// Barriers, copies and products that run beside the threads.
    Asynchrony& asynchrony();

    /// Asynchronous copy into shared memory: until the thread waits for it, the destination is NaN.
    void copy_async(void* to, const void* from, std::size_t bytes, std::size_t zeros);

    /// Ends a group of the running thread's copies; waits for all but the newest groups.
    void end_copies();
    void wait_for_copies(std::size_t newest);

    /// Reports a thread that ends before all of its copies have arrived.
    void require_no_copies();

    /// Reports an address that is not aligned to 16 bytes.
    void require_alignment(Site site, const void* address);

    /// The block's memory with this tag, the same for all threads; filled with NaN on first use.
    void* shared(const void* tag, std::size_t bytes);
    void* dynamic_shared();

private:
    enum class State { READY, AT_BARRIER, IN_WARP, WAITING, ENDED };

    struct Thread {
        State state;
        Site site;
        unsigned mask;
        int source;
        std::uint64_t value;
        std::uint64_t result;
        std::uint32_t votes;
        std::function<bool()> ready;
        std::function<std::string()> missing;
    };

    struct Copy {
        void* to;
        const void* from;
        std::size_t bytes;
        std::size_t zeros; // zero bytes after the copied ones
    };
    using Copies = std::vector<Copy>;

    static void enter();
    void schedule(std::vector<int>& threads);
    bool resume_waiting();
    std::uint64_t next_random();
    bool meets(int thread, const Thread& other) const;
    void meet(Site site, unsigned mask, std::uint64_t value, int source, bool ordering,
              void (*body)(void* const*) = nullptr);
    void pause(State state, Site site);
    std::string describe(int thread) const;
    std::string deadlock() const;

    Fibers fibers;
    std::vector<Thread> threads;
    std::vector<int> ready; // queue, starting at `next`
    std::size_t next = 0;
    std::vector<int> others; // threads that become ready
    SharedMemory memory;
    std::unique_ptr<Asynchrony> beside; // null until used
    std::array<std::uint32_t, MAX_THREADS / WARP> warpOrderings{};
    std::uint32_t blockOrderings = 0;
    std::vector<std::deque<Copies>> copies; // pending, per thread and group; the last group is open
    const Launch* launch = nullptr;
    int running = 0;
    int waiting = 0; // threads at the barrier
    std::uint64_t random = 0;
    std::string error;
};

/// The block running on this OS thread.
Block& current();

} // namespace emulator

// This TLS model saves a call per access; the variables fit easily into the static TLS space of a library.
#define EMULATOR_LOCAL extern constinit thread_local __attribute__((tls_model("initial-exec")))
EMULATOR_LOCAL dim3 threadIdx;
EMULATOR_LOCAL dim3 blockIdx;
EMULATOR_LOCAL dim3 blockDim;
EMULATOR_LOCAL dim3 gridDim;
