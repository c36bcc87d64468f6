// What runs beside the threads of a block on Hopper, and what its warp groups share.
#pragma once

#include "products.h"
#include "warp_groups.h"

namespace emulator {

class Asynchrony {
public:
    Asynchrony(Block& block, SharedMemory& memory)
        : clocks(block.thread_count()), barriers(block, memory, clocks), products(block, memory, barriers, clocks),
          named(block, clocks), registers(block), block(block) {}

    /// Reports a thread that ends before its warp's products have been waited for.
    void require_no_products() {
        if (products.pending(block.thread() / WARP)) {
            block.report({"a product", "", 0}, "has ended before the products of its warp were waited for");
        }
    }

    /// What is not in balance at the end of the block, or an empty string.
    std::string unbalanced() const {
        for (const std::string& mistake : {barriers.unbalanced(), products.unbalanced(), named.unbalanced()}) {
            if (!mistake.empty()) {
                return mistake;
            }
        }
        return "";
    }

    Clocks clocks;
    Barriers barriers;
    Products products;
    NamedBarriers named;
    RegisterPool registers;

private:
    Block& block;
};

} // namespace emulator
