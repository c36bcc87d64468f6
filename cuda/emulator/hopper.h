// The operations of ../hopper.cuh for a host compiler. Included only by that file.
#pragma once

#include "asynchrony.h"
#include "emulator.h"

#define __grid_constant__

// GCC notes that a tensor map by value was passed differently before GCC 4.6.
#pragma GCC diagnostic ignored "-Wpsabi"

/// A barrier's word; what it counts is kept beside the block.
struct Barrier {
    std::uint64_t word;
};

inline void initialise(Barrier* barrier, int arrivals, EMULATOR_SITE) {
    emulator::current().asynchrony().barriers.initialise({"initialise", file, line}, barrier, arrivals);
}

inline void publish() {
    emulator::current().asynchrony().barriers.publish();
}

inline void barriers_initialised() {
    publish();
}

inline void arrive(Barrier* barrier, EMULATOR_SITE) {
    emulator::current().asynchrony().barriers.arrive({"arrive", file, line}, barrier, 0);
}

inline void arrive_expecting(Barrier* barrier, int bytes, EMULATOR_SITE) {
    emulator::current().asynchrony().barriers.arrive({"arrive_expecting", file, line}, barrier, bytes);
}

inline void wait_for(Barrier* barrier, unsigned parity, EMULATOR_SITE) {
    emulator::current().asynchrony().barriers.wait({"wait_for", file, line}, barrier, static_cast<int>(parity));
}

inline void sync_threads(int barrier, int threads, EMULATOR_SITE) {
    emulator::current().asynchrony().named.wait({"sync_threads", file, line}, barrier, threads);
}

inline void arrive_threads(int barrier, int threads, EMULATOR_SITE) {
    emulator::current().asynchrony().named.arrive({"arrive_threads", file, line}, barrier, threads);
}

inline void prefetch_map(const TensorMap&) {}

inline void load_box(void* to, const TensorMap& map, Barrier* barrier, int x, EMULATOR_SITE) {
    int first[] = {x, 0, 0, 0, 0};
    emulator::current().asynchrony().barriers.load({"load_box", file, line}, to, &map, 1, barrier, first);
}

inline void load_box(void* to, const TensorMap& map, Barrier* barrier, int x, int y, EMULATOR_SITE) {
    int first[] = {x, y, 0, 0, 0};
    emulator::current().asynchrony().barriers.load({"load_box", file, line}, to, &map, 2, barrier, first);
}

inline void load_box(void* to, const TensorMap& map, Barrier* barrier, int x, int y, int z, EMULATOR_SITE) {
    int first[] = {x, y, z, 0, 0};
    emulator::current().asynchrony().barriers.load({"load_box", file, line}, to, &map, 3, barrier, first);
}

/// Reports a thread that has not waited for an element of a box, and a copy that may overwrite it before it has been read.
template <class X>
const X& copied(const X& element, EMULATOR_SITE) {
    emulator::current().asynchrony().barriers.read({"copied", file, line}, &element, sizeof(X));
    return element;
}

template <int REGISTERS>
void give_registers(EMULATOR_SITE) {
    emulator::current().asynchrony().registers.give({"give_registers", file, line}, REGISTERS);
}

template <int REGISTERS>
void take_registers(EMULATOR_SITE) {
    emulator::current().asynchrony().registers.take({"take_registers", file, line}, REGISTERS);
}

inline std::uint64_t describe_tile(const void* tile, std::uint32_t leading, std::uint32_t stride, EMULATOR_SITE) {
    return emulator::current().asynchrony().products.describe({"describe_tile", file, line}, tile, leading, stride);
}

/// Registers that products use while threads go on: reports a thread that touches them meanwhile.
template <class X, int N>
class Registers : public emulator::ProductRegisters {
public:
    Registers() {
        values = x;
        std::memset(x, emulator::SharedMemory::NAN_BYTE, sizeof x);
    }
    Registers(const Registers&) = delete;
    Registers& operator=(const Registers&) = delete;

    ~Registers() {
        require_settled();
    }

    X& operator[](int i) {
        require_settled();
        written = true;
        return x[i];
    }

private:
    X x[N];
};

inline void settle(float) {}

template <class... R>
void begin_products(R&... registers) {
    ((registers.written = false), ...);
}

inline void commit_products(EMULATOR_SITE) {
    emulator::Block& block = emulator::current();
    block.collective({"commit_products", file, line}, nullptr, [](void* const*) {
        emulator::Block& block = emulator::current();
        block.asynchrony().products.commit(block.thread() / emulator::WARP);
    });
}

/// Waits for all but the newest groups of products.
template <int NEWEST, class... R>
void wait_for_products(R&...) {
    emulator::current().collective({"wait_for_products", "", 0}, nullptr, [](void* const*) {
        emulator::Block& block = emulator::current();
        block.asynchrony().products.wait(block.thread() / emulator::WARP, NEWEST);
    });
}

namespace emulator {
template <class T>
constexpr Number NUMBER = Number::BF16;
template <>
inline constexpr Number NUMBER<F16> = Number::F16;

inline void issue(GroupProduct& own) {
    current().collective(own.site, &own, [](void* const* lanes) {
        std::array<const GroupProduct*, WARP> all;
        for (int lane = 0; lane < WARP; lane++) {
            all[lane] = static_cast<const GroupProduct*>(lanes[lane]);
        }
        current().asynchrony().products.issue(current().thread() / WARP, all);
    });
}
} // namespace emulator

template <class T, int N>
void multiply_tiles(Registers<float, N>& sum, std::uint64_t a, std::uint64_t b, bool accumulate, EMULATOR_SITE) {
    emulator::GroupProduct own{{"multiply_tiles", file, line}, emulator::NUMBER<T>, 2 * N, &sum, nullptr, 0, a, b,
                               false, accumulate};
    emulator::issue(own);
}

template <class T, int N, int M>
void multiply_registers(Registers<float, N>& sum, Registers<unsigned, M>& a, int at, std::uint64_t b, EMULATOR_SITE) {
    emulator::GroupProduct own{{"multiply_registers", file, line}, emulator::NUMBER<T>, 2 * N, &sum, &a, at, 0, b,
                               true, true};
    emulator::issue(own);
}
