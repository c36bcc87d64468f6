// Blocks that run together on one OS thread, wait for each other and read each other's shared memory.
#pragma once

#include "block.h"

#include <memory>
#include <string>
#include <vector>

namespace emulator {

class Cluster {
public:
    /// Runs the blocks from an index on to completion. Returns an error message, or an empty string.
    std::string run(const Launch& launch, std::uint64_t first);

    Block& block(int rank) {
        return *blocks[rank];
    }

    /// A thread arrives at the barrier; returns the phase that it waits for.
    std::uint64_t arrive();

    bool is_complete(std::uint64_t phase) const {
        return completed > phase;
    }

private:
    std::string result(bool failed);

    std::vector<std::unique_ptr<Block>> blocks; // those of the launch, and idle ones
    unsigned size = 1;
    std::uint64_t arrived = 0;
    std::uint64_t completed = 0;
};

} // namespace emulator
