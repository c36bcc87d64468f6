#include "products.h"

#include "tensor_core.h"

#include <cstring>

namespace emulator {

namespace {
constexpr int GROUP_WARPS = 4;
constexpr std::uint64_t SWIZZLE_128 = 1ull << 62;

std::uint32_t field(std::uint64_t descriptor, int at) {
    return static_cast<std::uint32_t>(descriptor >> at & 0x3fff) << 4;
}

/// All 16-bit numbers: products decode many.
template <class T>
std::vector<float> all_numbers() {
    std::vector<float> all;
    for (int bits = 0; bits <= 0xffff; bits++) {
        all.push_back(to_float(T{static_cast<std::uint16_t>(bits)}));
    }
    return all;
}

float number(Number which, std::uint16_t bits) {
    static const std::vector<float> numbers[] = {all_numbers<Bf16>(), all_numbers<F16>()};
    return numbers[static_cast<int>(which)][bits];
}
} // namespace

void ProductRegisters::require_settled() const {
    if (pending > 0) {
        current().report(site, "the registers of this product are used before wait_for_products()");
    }
}

std::uint64_t Products::describe(Site site, const void* tile, std::uint32_t leading, std::uint32_t stride) {
    std::uint32_t address = memory.address(tile);
    if (address == SharedMemory::NOWHERE) {
        block.report(site, "the tile is not in shared memory");
    }
    return static_cast<std::uint64_t>((address & 0x3ffff) >> 4) | static_cast<std::uint64_t>(leading >> 4) << 16 |
           static_cast<std::uint64_t>(stride >> 4) << 32 | SWIZZLE_128;
}

/// The chunks of `rows` rows and 16 columns of depth: two per row. Transposed: those of 16 rows of depth, and columns.
std::vector<std::uint32_t> Products::chunks(Site site, std::uint64_t descriptor, int firstRow, int rows,
                                            bool transposed) {
    std::vector<std::uint32_t> addresses;
    std::uint32_t start = field(descriptor, 0);
    std::uint32_t leading = field(descriptor, 16);
    std::uint32_t stride = field(descriptor, 32);
    if ((descriptor >> 49 & 7) != 0 || descriptor >> 62 != 1 || start % 1024 >= 128) {
        block.report(site, "a descriptor has the swizzle of 128 bytes, and a tile whose rows start at a multiple of 1024");
        return addresses;
    }
    for (int i = 0; i < (transposed ? DEPTH * rows / 8 : 2 * rows); i++) {
        int row = transposed ? i / (rows / 8) : firstRow + i / 2;
        int chunk = transposed ? i % (rows / 8) : i % 2;
        std::uint32_t address = start + row / 8 * stride + row % 8 * 128 + chunk % 8 * 16 + chunk / 8 * leading;
        addresses.push_back(address ^ (address >> 7 & 7) << 4);
    }
    return addresses;
}

void Products::issue(int warp, const std::array<const GroupProduct*, WARP>& lanes) {
    const GroupProduct& first = *lanes[0];
    Queue& queue = queues[warp];
    Product product{{}, {}, {}, ++queue.issued};
    for (int lane = 0; lane < WARP; lane++) {
        const GroupProduct& own = *lanes[lane];
        product.lanes[lane] = own;
        if (own.a != first.a || own.b != first.b || own.accumulate != first.accumulate) {
            block.report(first.site, "the lanes of a warp describe different tiles");
            return;
        }
        if (own.sum->written || (own.left != nullptr && own.left->written)) {
            block.report(first.site, "no begin_products() since the registers of the product were written");
            return;
        }
    }
    if (first.left == nullptr) {
        product.a = chunks(first.site, first.a, warp % GROUP_WARPS * WARP_ROWS, WARP_ROWS, false);
        barriers.read(first.site, product.a, warp, product.index);
    }
    product.b = chunks(first.site, first.b, 0, first.columns, first.transposed);
    barriers.read(first.site, product.b, warp, product.index);
    for (GroupProduct& own : product.lanes) {
        for (ProductRegisters* registers : {own.sum, own.left}) {
            if (registers != nullptr) {
                registers->pending++;
                registers->site = own.site;
            }
        }
    }
    queue.groups.back().push_back(std::move(product));
}

void Products::commit(int warp) {
    queues[warp].groups.emplace_back();
}

void Products::wait(int warp, std::size_t newest) {
    std::deque<std::vector<Product>>& groups = queues[warp].groups;
    while (groups.size() > newest + 1) {
        for (const Product& product : groups.front()) {
            compute(warp, product);
        }
        groups.pop_front();
    }
    barriers.meet(warp);
}

/// The eight numbers of each chunk, as copies and products see shared memory now.
std::vector<float> Products::numbers(const std::vector<std::uint32_t>& chunks, Number which) {
    std::vector<float> all;
    all.reserve(chunks.size() * 8);
    for (std::uint32_t address : chunks) {
        SharedMemory::Piece& piece = *memory.containing(address, SharedMemory::CHUNK);
        std::uint16_t bits[8];
        std::memcpy(bits, piece.copies.get() + (address - piece.address), sizeof bits);
        for (std::uint16_t own : bits) {
            all.push_back(number(which, own));
        }
    }
    return all;
}

// Fragments as the PTX ISA lays them out, "Register Fragments for wgmma.mma_async.m64nNk16".
void Products::compute(int warp, const Product& product) {
    const GroupProduct& first = product.lanes[0];
    double a[WARP_ROWS][DEPTH];
    std::vector<double> b(static_cast<std::size_t>(first.columns) * DEPTH); // [columns, depth]
    std::vector<float> read = numbers(product.a, first.number);
    for (std::size_t i = 0; i < read.size(); i++) {
        a[i / DEPTH][i % DEPTH] = read[i];
    }
    read = numbers(product.b, first.number);
    for (int i = 0; i < first.columns * DEPTH; i++) {
        int column = first.transposed ? i % first.columns : i / DEPTH;
        int depth = first.transposed ? i / first.columns : i % DEPTH;
        b[column * DEPTH + depth] = read[i];
    }
    for (int lane = 0; lane < WARP && first.left != nullptr; lane++) {
        const GroupProduct& own = product.lanes[lane];
        auto pairs = static_cast<const unsigned*>(own.left->values) + own.leftAt;
        for (int i = 0; i < 8; i++) {
            a[lane / 4 + i / 2 % 2 * 8][lane % 4 * 2 + i % 2 + i / 4 * 8] =
                number(own.number, static_cast<std::uint16_t>(pairs[i / 2] >> i % 2 * 16));
        }
    }
    for (int lane = 0; lane < WARP; lane++) {
        const GroupProduct& own = product.lanes[lane];
        auto sums = static_cast<float*>(own.sum->values);
        const double* rows = &a[0][0];
        for (int i = 0; i < own.columns / 2; i++) {
            const double* left = rows + (lane / 4 + i / 2 % 2 * 8) * DEPTH;
            const double* right = b.data() + (i / 4 * 8 + lane % 4 * 2 + i % 2) * DEPTH;
            double total = own.accumulate ? sums[i] : 0;
            for (int k = 0; k < DEPTH; k++) {
                total += left[k] * right[k];
            }
            sums[i] = static_cast<float>(total);
        }
        own.sum->pending--;
        if (own.left != nullptr) {
            own.left->pending--;
        }
        clocks[warp * WARP + lane].products[warp] = product.index;
    }
}

bool Products::pending(int warp) const {
    for (const std::vector<Product>& group : queues[warp].groups) {
        if (!group.empty()) {
            return true;
        }
    }
    return false;
}

std::string Products::unbalanced() const {
    for (int warp = 0; warp < Clock::WARPS; warp++) {
        if (queues[warp].issued != queues[warp / GROUP_WARPS * GROUP_WARPS].issued) {
            return "the warps of a group have not issued the same products";
        }
    }
    return "";
}

} // namespace emulator
