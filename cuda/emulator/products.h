// Products of a warp group (wgmma): read tiles in shared memory, and registers, while the threads go on.
#pragma once

#include "barriers.h"

#include <array>
#include <deque>

namespace emulator {

/// Registers of one thread that a product reads or writes.
struct ProductRegisters {
    void* values = nullptr;
    int pending = 0;         // products that have not been waited for
    bool written = true;     // by the thread, since the last fence
    Site site{"", "", 0};    // of the last product

    /// Reports a thread that uses them before it has waited for the product.
    void require_settled() const;
};

/// A warp computes 16 rows of the group's product.
constexpr int WARP_ROWS = 16;
constexpr int DEPTH = 16;

enum class Number { BF16, F16 };

/// A lane's arguments of sum [64, columns] (+)= a [64, 16] b [16, columns].
struct GroupProduct {
    Site site;
    Number number;
    int columns;
    ProductRegisters* sum; // element 4 c + 2 r + i: row lane / 4 + 8 r, column 8 c + 2 (lane % 4) + i
    ProductRegisters* left; // null if a is in shared memory
    int leftAt;             // the first of four registers
    std::uint64_t a;        // descriptor; its rows contiguous along the depth
    std::uint64_t b;        // descriptor
    bool transposed;        // b is contiguous along its columns, not along the depth
    bool accumulate;
};

/// The products of each warp of a block. They are computed when they are waited for, not before.
class Products {
public:
    Products(Block& block, SharedMemory& memory, Barriers& barriers, Clocks& clocks)
        : block(block), memory(memory), barriers(barriers), clocks(clocks) {}

    /// The descriptor of a tile with rows of 128 bytes, whose chunks are exchanged; PTX ISA, "Matrix Descriptor Format".
    std::uint64_t describe(Site site, const void* tile, std::uint32_t leading, std::uint32_t stride);

    void issue(int warp, const std::array<const GroupProduct*, WARP>& lanes);
    void commit(int warp);
    void wait(int warp, std::size_t newest);

    /// Whether a warp has products that it has not waited for.
    bool pending(int warp) const;

    /// Warps of one group that have not issued the same products, or an empty string.
    std::string unbalanced() const;

private:
    struct Product {
        std::array<GroupProduct, WARP> lanes;
        std::vector<std::uint32_t> a; // addresses of chunks of eight numbers
        std::vector<std::uint32_t> b;
        std::uint32_t index;
    };

    struct Queue {
        std::deque<std::vector<Product>> groups{1}; // the last one is open
        std::uint32_t issued = 0;
    };

    std::vector<std::uint32_t> chunks(Site site, std::uint64_t descriptor, int firstRow, int rows, bool transposed);
    void compute(int warp, const Product& product);
    std::vector<float> numbers(const std::vector<std::uint32_t>& chunks, Number which);

    Block& block;
    SharedMemory& memory;
    Barriers& barriers;
    Clocks& clocks;
    std::array<Queue, Clock::WARPS> queues;
};

} // namespace emulator
