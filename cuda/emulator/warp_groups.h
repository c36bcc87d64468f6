// What the warp groups of a block share: barriers for some of the threads, and the multiprocessor's registers.
#pragma once

#include "block.h"
#include "clock.h"

#include <array>
#include <set>

namespace emulator {

/// The sixteen barriers of a block that count threads (bar.sync, bar.arrive).
class NamedBarriers {
public:
    NamedBarriers(Block& block, Clocks& clocks) : block(block), clocks(clocks) {}

    void arrive(Site site, int id, int threads);

    /// Arrives, and waits for the others.
    void wait(Site site, int id, int threads);

    std::string unbalanced() const;

private:
    struct Barrier {
        int threads = 0; // as those say who have arrived
        std::set<int> arrived;
        std::uint64_t phase = 0;
        Clock gathered;
        Clock known;
    };

    static constexpr int COUNT = 16;

    Block& block;
    Clocks& clocks;
    std::array<Barrier, COUNT> barriers;
};

/// The registers of a multiprocessor that runs one block, which warps give back and take (setmaxnreg).
class RegisterPool {
public:
    explicit RegisterPool(Block& block);

    void give(Site site, int registers);

    /// Waits until so many registers per thread are free.
    void take(Site site, int registers);

private:
    bool allowed(Site site, int registers);

    static constexpr int REGISTERS = 65536;
    static constexpr int MOST = 256; // per thread
    static constexpr int LEAST = 24;
    static constexpr int STEP = 8;

    Block& block;
    std::vector<int> own; // per thread, of each warp
    int free = 0; // given back; what a launch leaves over is not the block's
};

} // namespace emulator
