#include "warp_groups.h"

#include <algorithm>

namespace emulator {

void NamedBarriers::arrive(Site site, int id, int threads) {
    if (id < 1 || id >= COUNT || threads % WARP != 0) {
        block.report(site, "a barrier is one of 1 to 15, of a multiple of 32 threads; 0 is that of __syncthreads()");
        return;
    }
    Barrier& barrier = barriers[id];
    if (!barrier.arrived.empty() && barrier.threads != threads) {
        block.report(site, "barrier " + std::to_string(id) + " is one of " + std::to_string(barrier.threads) +
                               " threads, and not of " + std::to_string(threads));
        return;
    }
    if (!barrier.arrived.insert(block.thread()).second) {
        block.report(site, "the thread arrives twice at barrier " + std::to_string(id) + ", at which only " +
                               std::to_string(barrier.arrived.size()) + " of " + std::to_string(threads) +
                               " threads have arrived");
        return;
    }
    barrier.threads = threads;
    barrier.gathered.merge(clocks[block.thread()]);
    if (static_cast<int>(barrier.arrived.size()) == threads) {
        barrier.arrived.clear();
        barrier.phase++;
        barrier.known.merge(barrier.gathered);
    }
}

void NamedBarriers::wait(Site site, int id, int threads) {
    arrive(site, id, threads);
    if (id < 1 || id >= COUNT) {
        return;
    }
    Barrier& barrier = barriers[id];
    if (barrier.arrived.contains(block.thread())) {
        block.wait_until(
            site, [&barrier, phase = barrier.phase] { return barrier.phase != phase; },
            [&barrier] {
                return std::to_string(barrier.arrived.size()) + " of " + std::to_string(barrier.threads) +
                       " threads have arrived";
            });
    }
    clocks[block.thread()].merge(barrier.known);
}

std::string NamedBarriers::unbalanced() const {
    for (int id = 0; id < COUNT; id++) {
        if (!barriers[id].arrived.empty()) {
            return "barrier " + std::to_string(id) + " is left unbalanced: " +
                   std::to_string(barriers[id].arrived.size()) + " of " + std::to_string(barriers[id].threads) +
                   " threads have arrived";
        }
    }
    return "";
}

RegisterPool::RegisterPool(Block& block) : block(block) {
    int threads = block.thread_count();
    own.assign((threads + WARP - 1) / WARP, std::min(MOST - STEP, REGISTERS / threads / STEP * STEP));
}

bool RegisterPool::allowed(Site site, int registers) {
    if (registers < LEAST || registers > MOST || registers % STEP != 0) {
        block.report(site, "a thread has 24 to 256 registers, in steps of 8");
        return false;
    }
    return true;
}

void RegisterPool::give(Site site, int registers) {
    int& its = own[block.thread() / WARP];
    block.ballot(site, ~0u, false);
    if (!allowed(site, registers)) {
        return;
    }
    if (registers > its) {
        block.report(site, "the thread has " + std::to_string(its) + " registers, fewer than it wants to keep");
        return;
    }
    free += (its - registers) * WARP;
    its = registers;
}

void RegisterPool::take(Site site, int registers) {
    int& its = own[block.thread() / WARP];
    block.ballot(site, ~0u, false);
    if (!allowed(site, registers)) {
        return;
    }
    if (registers < its) {
        block.report(site, "the thread has " + std::to_string(its) + " registers, more than it wants to have");
        return;
    }
    block.wait_until(
        site,
        [this, &its, registers] {
            int more = (registers - its) * WARP;
            if (more <= free) {
                free -= more;
                its = registers;
            }
            return its == registers;
        },
        [this, &its, registers] {
            return "the warp needs " + std::to_string((registers - its) * WARP) + " more registers, and " +
                   std::to_string(free) + " are free";
        });
}

} // namespace emulator
