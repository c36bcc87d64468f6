// One block of threads on one OS thread: each CUDA thread is a fiber, run until it waits for others.
#pragma once

#include "fiber.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

struct dim3 {
    unsigned x, y, z;
};

namespace emulator {

constexpr int WARP = 32;
constexpr int MOST_THREADS = 1024;

/// Where in a kernel a thread waits.
struct Site {
    const char* operation;
    const char* file;
    int line;
};

/// What a launch asks of every block.
struct Launch {
    std::string kernel;
    std::function<void()> body;
    dim3 grid;
    dim3 block;
    unsigned shared_bytes;
    std::uint64_t seed; // of the order in which threads run; 0 = by index
};

class Block {
public:
    Block();

    /// Runs one block to its end. What went wrong, or an empty string.
    std::string run(const Launch& launch, std::uint64_t index);

    /// Waits for all threads of the block.
    void wait(Site site);

    /// What a lane brings to its warp: all lanes of mask meet, then each gets the value of lane `source`.
    std::uint64_t exchange(Site site, unsigned mask, std::uint64_t value, int source);

    /// As exchange; each lane gets a bit for every lane of mask whose value is not 0.
    std::uint32_t ballot(Site site, unsigned mask, bool value);

    /// What the lanes of a whole warp do as one: all meet, body is called once with what each brings, then all go on.
    void together(Site site, void* own, void (*body)(void* const* all));

    /// A copy into shared memory that may arrive from now on: until the thread waits for it, the destination is NaN.
    void copy_later(Site site, void* to, const void* from, std::size_t bytes, std::size_t zeros);

    /// Ends a group of the running thread's copies, and waits for all but the newest groups.
    void end_copies();
    void wait_for_copies(std::size_t newest);

    /// A thread that ends has waited for all of its copies.
    void require_no_copies();

    /// What is moved 16 bytes at a time lies at a multiple of 16.
    void require_alignment(Site site, const void* address);

    /// The block's memory of this tag, the same for all threads; full of NaN when the first of them asks.
    void* shared(const void* tag, std::size_t bytes);
    void* dynamic_shared();

private:
    enum class State { READY, AT_BARRIER, IN_WARP, ENDED };

    struct Thread {
        State state;
        Site site;
        unsigned mask;
        int source;
        std::uint64_t value;
        std::uint64_t result;
        std::uint32_t votes;
    };

    struct Copy {
        void* to;
        const void* from;
        std::size_t bytes;
        std::size_t zeros; // behind them
    };
    using Copies = std::vector<Copy>;

    struct Memory {
        const void* tag;
        std::unique_ptr<unsigned char[]> bytes;
    };

    static void enter();
    void schedule(std::vector<int>& threads);
    bool meets(int thread, const Thread& other) const;
    void meet(Site site, unsigned mask, std::uint64_t value, int source, void (*body)(void* const*) = nullptr);
    void pause(State state, Site site);
    std::string who(int thread) const;
    std::string stuck() const;

    Fibers fibers;
    std::vector<Thread> threads;
    std::vector<int> ready; // a queue from next on
    std::size_t next = 0;
    std::vector<int> others; // whom an arrival makes ready
    std::vector<Memory> memory;
    std::vector<std::deque<Copies>> copies; // under way, of each thread, by group; the last is not yet ended
    std::size_t memoryBytes = 0;
    const Launch* launch = nullptr;
    int running = 0;
    int waiting = 0; // threads at the barrier
    std::uint64_t random = 0;
    std::string error;
};

/// The block that runs on this OS thread.
Block& current();

} // namespace emulator

// The tls model saves a call for each use; together these are far below what a library may claim of static storage.
#define EMULATOR_LOCAL extern constinit thread_local __attribute__((tls_model("initial-exec")))
EMULATOR_LOCAL dim3 threadIdx;
EMULATOR_LOCAL dim3 blockIdx;
EMULATOR_LOCAL dim3 blockDim;
EMULATOR_LOCAL dim3 gridDim;
