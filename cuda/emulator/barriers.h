// Barriers in shared memory that count arrivals and bytes (mbarrier), and the copies of boxes that they wait for.
#pragma once

#include "block.h"
#include "clock.h"
#include "shared_memory.h"
#include "tensor_map.h"

namespace emulator {

/// Copies arrive as late as the rules allow: once somebody waits for them and nothing else can run.
class Barriers {
public:
    Barriers(Block& block, SharedMemory& memory, Clocks& clocks) : block(block), memory(memory), clocks(clocks) {}

    void initialise(Site site, const void* barrier, int arrivals);

    /// Makes the running thread's barriers, and what threads have written, visible to copies and products.
    void publish();

    /// One arrival, after which the phase waits for so many more bytes.
    void arrive(Site site, const void* barrier, std::uint32_t bytes);

    /// Waits until the phase of this parity is complete.
    void wait(Site site, const void* barrier, int parity);

    /// Starts the copy of a box.
    void load(Site site, const void* to, const TensorMap* map, int axes, const void* barrier,
              const int* first);

    /// Reports a product's operand that is not one tile that has arrived for the whole warp, or that threads wrote
    /// without publish(). Otherwise the chunks count as read by the warp's product of this number.
    void read(Site site, const std::vector<std::uint32_t>& chunks, int warp, std::uint32_t product);

    /// Reports an element of a box that has not arrived, as far as the running thread knows. Otherwise it counts as read.
    void read(Site site, const void* element, std::size_t bytes);

    /// The threads of a warp have come as far as each other.
    void meet(int warp);

    /// A barrier that somebody still waits for at the end of a block, or an empty string.
    std::string unbalanced() const;

private:
    struct Barrier {
        std::uint32_t address;
        int arrivals; // per phase
        int pending;
        std::int64_t bytes = 0; // that the phase expects
        std::uint32_t phase = 0;
        std::vector<int> boxes; // on their way
        bool visible = false;   // to copies, since publish()
        int initialiser;
        Clock gathered; // of those who have arrived
        Clock known;    // to those who wait
    };

    struct Box {
        std::uint32_t to;
        Boxes map;
        int first[MOST_AXES];
        int barrier;
        std::uint32_t phase; // by which it has arrived
        std::uint32_t readers[Clock::WARPS] = {}; // the last product of each warp that reads it
        std::uint32_t reads[Clock::WARPS] = {};   // the last read by a thread of each warp
        Site site;
    };

    int find(Site site, const void* barrier);
    std::int64_t coming(const Barrier& barrier) const;
    void complete(int index);
    bool passed(int index, int parity);
    void deliver(const Box& box);
    std::string state(const Barrier& barrier) const;
    void replace(Site site, std::uint32_t address, std::uint32_t bytes, int by);

    Block& block;
    SharedMemory& memory;
    Clocks& clocks;
    std::vector<Barrier> barriers;
    std::vector<Box> boxes;
    std::uint32_t reads[Clock::WARPS] = {}; // by threads of each warp
};

} // namespace emulator
