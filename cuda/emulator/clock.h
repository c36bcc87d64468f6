// Who knows what has happened: vector clocks (Mattern 1989) over the products and reads of warps and the phases of
// barriers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace emulator {

/// What a thread, or whoever waits for it, knows to be complete.
struct Clock {
    static constexpr int WARPS = 32;
    static constexpr int BARRIERS = 32;

    std::array<std::uint32_t, WARPS> products{};  // of each warp
    std::array<std::uint32_t, WARPS> reads{};     // of the threads of each warp
    std::array<std::uint32_t, BARRIERS> phases{}; // of each barrier in shared memory, and 1 for its initialisation

    void merge(const Clock& other) {
        for (int i = 0; i < WARPS; i++) {
            products[i] = std::max(products[i], other.products[i]);
            reads[i] = std::max(reads[i], other.reads[i]);
        }
        for (int i = 0; i < BARRIERS; i++) {
            phases[i] = std::max(phases[i], other.phases[i]);
        }
    }
};

/// The clocks of a block's threads.
class Clocks {
public:
    explicit Clocks(int threads) : clocks(threads) {}

    Clock& operator[](int thread) {
        return clocks[thread];
    }

    /// Each of these threads learns what the others know.
    template <class Threads>
    void meet(const Threads& threads) {
        Clock all;
        for (int thread : threads) {
            all.merge(clocks[thread]);
        }
        for (int thread : threads) {
            clocks[thread] = all;
        }
    }

private:
    std::vector<Clock> clocks;
};

} // namespace emulator
