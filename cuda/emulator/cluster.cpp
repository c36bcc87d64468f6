#include "cluster.h"

#include <algorithm>
#include <numeric>
#include <random>

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
    std::vector<unsigned> order(size);
    std::iota(order.begin(), order.end(), 0);
    if (launch.seed != 0) {
        std::shuffle(order.begin(), order.end(), std::minstd_rand(static_cast<unsigned>(launch.seed + first)));
    }
    bool ran = true;
    bool failed = false;
    while (ran && !failed) {
        ran = false;
        for (std::size_t i = 0; i < size && !failed; i++) {
            ran |= blocks[order[i]]->advance();
            failed = blocks[order[i]]->has_failed();
        }
    }
    return result(failed);
}

/// The mistake; of several blocks that wait for ever, one that others wait for.
std::string Cluster::result(bool failed) {
    std::string error;
    bool isCause = false;
    for (unsigned rank = 0; rank < size; rank++) {
        Block& block = *blocks[rank];
        if (failed && !block.has_failed() && !block.has_ended()) {
            block.abandon();
            continue;
        }
        bool waits = block.waits_for_cluster_alone();
        std::string message = block.finish();
        if (!message.empty() && (error.empty() || (!isCause && !waits))) {
            error = message;
            isCause = !waits;
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
