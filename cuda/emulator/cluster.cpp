#include "cluster.h"

namespace emulator {

std::string Cluster::run(const Launch& launch, std::uint64_t first) {
    size = launch.cluster;
    arrived = completed = 0;
    while (blocks.size() < size) {
        blocks.push_back(std::make_unique<Block>());
    }
    for (unsigned rank = 0; rank < size; rank++) {
        blocks[rank]->begin(launch, first + rank, *this);
    }
    bool ran = true;
    bool failed = false;
    while (ran && !failed) {
        ran = false;
        for (unsigned rank = 0; rank < size && !failed; rank++) {
            ran |= blocks[rank]->advance();
            failed = blocks[rank]->has_failed();
        }
    }
    std::string error;
    for (unsigned rank = 0; rank < size; rank++) {
        if (!failed || blocks[rank]->has_failed() || blocks[rank]->has_ended()) {
            std::string message = blocks[rank]->finish();
            error = error.empty() ? message : error;
        } else {
            blocks[rank]->abandon();
        }
    }
    return error;
}

std::uint64_t Cluster::arrive() {
    std::uint64_t phase = completed;
    if (++arrived == static_cast<std::uint64_t>(size) * blocks[0]->thread_count()) {
        arrived = 0;
        completed++;
    }
    return phase;
}

} // namespace emulator
