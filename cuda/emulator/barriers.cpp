#include "barriers.h"

#include <cstring>

namespace emulator {

namespace {
/// The address of a chunk in a tile whose rows of 128 bytes exchange chunks: bits 4 to 6 xor bits 7 to 9.
std::uint32_t swizzled(std::uint32_t address) {
    return address ^ (address >> 7 & 7) << 4;
}
} // namespace

void Barriers::initialise(Site site, const void* barrier, int arrivals) {
    std::uint32_t address = memory.address(barrier);
    if (address == SharedMemory::NOWHERE || address % 8 != 0) {
        block.report(site, "a barrier is 8 bytes of shared memory, aligned to 8");
        return;
    }
    for (const Barrier& other : barriers) {
        if (other.address == address) {
            block.report(site, "the barrier is initialised twice");
            return;
        }
    }
    if (barriers.size() == Clock::BARRIERS || arrivals < 1) {
        block.report(site, "the emulator has up to 32 barriers in shared memory, of at least one arrival");
        return;
    }
    Barrier added{.address = address, .arrivals = arrivals, .pending = arrivals, .boxes = {},
                  .initialiser = block.thread(), .gathered = {}, .known = {}};
    added.known.phases[barriers.size()] = 1;
    clocks[block.thread()].phases[barriers.size()] = 1;
    barriers.push_back(added);
}

void Barriers::publish() {
    memory.publish();
    for (Barrier& barrier : barriers) {
        barrier.visible = barrier.visible || barrier.initialiser == block.thread();
    }
}

int Barriers::find(Site site, const void* barrier) {
    std::uint32_t address = memory.address(barrier);
    for (std::size_t i = 0; i < barriers.size(); i++) {
        if (barriers[i].address == address) {
            if (!barriers[i].visible) {
                block.report(site, "no barriers_initialised() since the barrier was initialised");
            } else if (clocks[block.thread()].phases[i] == 0) {
                block.report(site, "no __syncthreads() since another thread initialised the barrier");
            }
            return static_cast<int>(i);
        }
    }
    block.report(site, "the barrier is not initialised");
    return -1;
}

/// Bytes of the copies on their way.
std::int64_t Barriers::coming(const Barrier& barrier) const {
    std::int64_t bytes = 0;
    for (int box : barrier.boxes) {
        bytes += static_cast<std::int64_t>(boxes[box].map.bytes());
    }
    return bytes;
}

/// Completes the current phase if nothing is missing.
void Barriers::complete(int index) {
    Barrier& barrier = barriers[index];
    if (barrier.pending > 0 || barrier.bytes != coming(barrier)) {
        return;
    }
    for (int box : barrier.boxes) {
        deliver(boxes[box]);
    }
    barrier.boxes.clear();
    barrier.bytes = 0;
    barrier.pending = barrier.arrivals;
    barrier.phase++;
    barrier.known.merge(barrier.gathered);
    barrier.known.phases[index] = barrier.phase + 1;
}

void Barriers::deliver(const Box& box) {
    std::vector<unsigned char> bytes(box.map.bytes());
    box.map.read(box.first, bytes.data());
    SharedMemory::Piece& piece = *memory.containing(box.to, bytes.size());
    for (std::uint32_t i = 0; i < bytes.size(); i += SharedMemory::CHUNK) {
        std::uint32_t address = box.map.swizzle == 0 ? box.to + i : swizzled(box.to + i);
        std::size_t offset = address - piece.address;
        if (!SharedMemory::published(piece, offset)) {
            block.report(box.site, "threads wrote where the copy arrives");
        }
        std::memcpy(piece.copies.get() + offset, bytes.data() + i, SharedMemory::CHUNK);
        std::memcpy(piece.threads.get() + offset, bytes.data() + i, SharedMemory::CHUNK);
    }
}

void Barriers::arrive(Site site, const void* barrier, std::uint32_t bytes) {
    int index = find(site, barrier);
    if (index < 0) {
        return;
    }
    Barrier& own = barriers[index];
    if (own.pending == 0) {
        complete(index); // on the device, the phase has been complete for a while
    }
    if (own.pending == 0) {
        block.report(site, "more arrivals than the " + std::to_string(own.arrivals) + " of a phase: " + state(own));
        return;
    }
    own.pending--;
    own.bytes += bytes;
    own.gathered.merge(clocks[block.thread()]);
    if (own.boxes.empty()) {
        complete(index);
    }
}

bool Barriers::passed(int index, int parity) {
    if (static_cast<int>(barriers[index].phase % 2) == parity) {
        complete(index);
    }
    return static_cast<int>(barriers[index].phase % 2) != parity;
}

void Barriers::wait(Site site, const void* barrier, int parity) {
    int index = find(site, barrier);
    if (index < 0) {
        return;
    }
    block.wait_until(
        site, [this, index, parity] { return passed(index, parity); },
        [this, index] { return state(barriers[index]); });
    clocks[block.thread()].merge(barriers[index].known);
}

std::string Barriers::state(const Barrier& barrier) const {
    return "phase " + std::to_string(barrier.phase) + " lacks " + std::to_string(barrier.pending) + " of " +
           std::to_string(barrier.arrivals) + " arrivals; it expects " + std::to_string(barrier.bytes) +
           " bytes, and its copies bring " + std::to_string(coming(barrier));
}

void Barriers::load(Site site, const void* to, const TensorMap* map, int axes, const void* barrier,
              const int* first) {
    int index = find(site, barrier);
    const Boxes* boxes_of = Boxes::of(map);
    if (index < 0 || boxes_of == nullptr || boxes_of->axes != axes) {
        block.report(site, "the tensor map is not encoded, not aligned to 64, or has another number of axes");
        return;
    }
    if (first[0] * boxes_of->elementBytes % 16 != 0) {
        block.report(site, "a box does not begin at a multiple of 16 bytes along axis 0");
        return;
    }
    std::uint32_t address = memory.address(to);
    auto bytes = static_cast<std::uint32_t>(boxes_of->bytes());
    if (address == SharedMemory::NOWHERE || address % 128 != 0 || memory.containing(address, bytes) == nullptr) {
        block.report(site, "a box is copied to shared memory that is aligned to 128, and has its size");
        return;
    }
    Box box{.to = address, .map = *boxes_of, .first = {}, .barrier = index, .phase = barriers[index].phase + 2,
            .site = site};
    for (int axis = 0; axis < boxes_of->axes; axis++) {
        box.first[axis] = first[axis];
    }
    boxes.push_back(box);
    replace(site, address, bytes, static_cast<int>(boxes.size()) - 1);
    barriers[index].boxes.push_back(static_cast<int>(boxes.size()) - 1);
}

/// Until the copy arrives, its destination is NaN. Reports what it must not overwrite.
void Barriers::replace(Site site, std::uint32_t address, std::uint32_t bytes, int by) {
    SharedMemory::Piece& piece = *memory.containing(address, bytes);
    for (std::size_t offset = address - piece.address; offset < address - piece.address + bytes;
         offset += SharedMemory::CHUNK) {
        int& owner = piece.box[offset / SharedMemory::CHUNK];
        if (!SharedMemory::published(piece, offset)) {
            block.report(site, "no publish() since threads wrote what the copy overwrites");
        }
        if (owner != SharedMemory::NOBODY && owner != by) {
            const Box& earlier = boxes[owner];
            if (clocks[block.thread()].phases[earlier.barrier] < earlier.phase) {
                block.report(site, "the copy overwrites one that has not arrived, as far as the thread knows");
            }
            for (int warp = 0; warp < Clock::WARPS; warp++) {
                if (earlier.readers[warp] > clocks[block.thread()].products[warp]) {
                    block.report(site, "the copy overwrites a tile that a product of warp " + std::to_string(warp) +
                                           " may still read");
                }
                if (earlier.reads[warp] > clocks[block.thread()].reads[warp]) {
                    block.report(site, "the copy overwrites what a thread of warp " + std::to_string(warp) +
                                           " may still read");
                }
            }
        }
        owner = by;
    }
    std::memset(piece.copies.get() + (address - piece.address), SharedMemory::NAN_BYTE, bytes);
    std::memset(piece.threads.get() + (address - piece.address), SharedMemory::NAN_BYTE, bytes);
}

void Barriers::read(Site site, const std::vector<std::uint32_t>& chunks, int warp, std::uint32_t product) {
    int tile = SharedMemory::NOBODY; // the box of the last chunk that threads have not written
    for (std::uint32_t address : chunks) {
        SharedMemory::Piece* piece = memory.containing(address, SharedMemory::CHUNK);
        if (piece == nullptr) {
            block.report(site, "the descriptor reads outside shared memory");
            return;
        }
        std::size_t offset = address - piece->address;
        int owner = piece->box[offset / SharedMemory::CHUNK];
        if (!SharedMemory::published(*piece, offset)) {
            block.report(site, "no publish() since threads wrote what the product reads");
            return;
        }
        if (owner == SharedMemory::NOBODY && SharedMemory::unwritten(*piece, offset)) {
            block.report(site, "nobody has written the tile that the product reads");
            return;
        }
        if (owner == SharedMemory::NOBODY || owner == tile) {
            continue;
        }
        Box& box = boxes[owner];
        if (tile != SharedMemory::NOBODY && (box.barrier != boxes[tile].barrier || box.phase != boxes[tile].phase)) {
            block.report(site, "the descriptor reads outside its tile");
            return;
        }
        tile = owner;
        box.readers[warp] = product;
        for (int lane = 0; lane < WARP; lane++) {
            if (clocks[warp * WARP + lane].phases[box.barrier] < box.phase) {
                block.report(site, "lane " + std::to_string(lane) + " has not waited for the tile that the product reads");
                return;
            }
        }
    }
}

void Barriers::read(Site site, const void* element, std::size_t bytes) {
    std::uint32_t address = memory.address(element);
    SharedMemory::Piece* piece = address == SharedMemory::NOWHERE ? nullptr : memory.containing(address, bytes);
    if (piece == nullptr) {
        block.report(site, "the element is not in shared memory");
        return;
    }
    int warp = block.thread() / WARP;
    Clock& clock = clocks[block.thread()];
    for (std::size_t at = address - piece->address, end = at + bytes; at < end; at += SharedMemory::CHUNK) {
        int owner = piece->box[at / SharedMemory::CHUNK];
        if (owner == SharedMemory::NOBODY) {
            continue;
        }
        Box& box = boxes[owner];
        if (clock.phases[box.barrier] < box.phase) {
            block.report(site, "the thread has not waited for the element that it reads");
        }
        box.reads[warp] = clock.reads[warp] = ++reads[warp];
    }
}

void Barriers::meet(int warp) {
    for (int lane = 0; lane < WARP; lane++) {
        clocks[warp * WARP + lane].reads[warp] = reads[warp];
    }
}

std::string Barriers::unbalanced() const {
    for (const Barrier& barrier : barriers) {
        if (barrier.pending != barrier.arrivals || !barrier.boxes.empty() || barrier.bytes != 0) {
            return "a barrier is left unbalanced: " + state(barrier);
        }
    }
    return "";
}

} // namespace emulator
