// The shared memory of a block, as threads see it and as asynchronous copies and products see it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace emulator {

/// Starts as NaN. Each variable is a heap array of its own, where AddressSanitizer detects accesses out of bounds, and
/// has an address in the block's window, as descriptors of tiles contain it.
class SharedMemory {
public:
    static constexpr int CHUNK = 16;      // bytes that a copy or a product handles at once
    static constexpr int NAN_BYTE = 0xff; // two, four or eight of them form a NaN
    static constexpr std::uint32_t NOWHERE = ~0u;
    static constexpr int NOBODY = -1;

    struct Piece {
        const void* tag;
        std::uint32_t address;
        std::size_t bytes;
        std::unique_ptr<unsigned char[]> threads; // as threads see it
        std::unique_ptr<unsigned char[]> copies;  // as asynchronous copies and products see it; null if unused
        std::vector<int> box;                     // per chunk, the copy that wrote it last; NOBODY: threads
    };

    void clear(std::size_t dynamicBytes);

    /// The variable with this tag.
    Piece& piece(const void* tag, std::size_t bytes, bool dynamic);

    /// Bytes of all static variables so far.
    std::size_t static_bytes() const {
        return staticBytes;
    }

    /// The address in the window of what a thread points to, or NOWHERE.
    std::uint32_t address(const void* pointer) const;

    /// The variable that contains these addresses, or null.
    Piece* containing(std::uint32_t address, std::size_t bytes);

    /// From now on the two views differ until publish(): what threads write, copies and products do not see.
    void separate();
    void publish();

    /// Whether both views of a chunk are the same.
    static bool published(const Piece& piece, std::size_t offset);

    /// Whether copies and products see only NaN in a chunk.
    static bool unwritten(const Piece& piece, std::size_t offset);

private:
    void separate(Piece& piece) const;

    std::vector<Piece> pieces;
    std::size_t staticBytes = 0;
    std::uint32_t nextStatic = 0;
    bool separated = false;
};

} // namespace emulator
