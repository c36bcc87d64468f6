#include "shared_memory.h"

#include <algorithm>
#include <cstring>

namespace emulator {

namespace {
constexpr std::uint32_t DYNAMIC = 1024; // address of dynamic memory; the device reserves what is below

std::size_t up_to(std::size_t bytes, std::size_t multiple) {
    return (bytes + multiple - 1) / multiple * multiple;
}
} // namespace

void SharedMemory::clear(std::size_t dynamicBytes) {
    pieces.clear();
    staticBytes = 0;
    // Static variables are aligned to 16 bytes and to no more.
    nextStatic = static_cast<std::uint32_t>(DYNAMIC + up_to(dynamicBytes, 1024) + CHUNK);
    separated = false;
}

SharedMemory::Piece& SharedMemory::piece(const void* tag, std::size_t bytes, bool dynamic) {
    for (Piece& piece : pieces) {
        if (piece.tag == tag) {
            return piece;
        }
    }
    pieces.push_back({tag, dynamic ? DYNAMIC : nextStatic, bytes, std::make_unique<unsigned char[]>(bytes), {}, {}});
    std::memset(pieces.back().threads.get(), NAN_BYTE, bytes);
    if (!dynamic) {
        staticBytes += bytes;
        nextStatic += static_cast<std::uint32_t>(up_to(bytes, CHUNK));
    }
    if (separated) {
        separate(pieces.back());
    }
    return pieces.back();
}

std::uint32_t SharedMemory::address(const void* pointer) const {
    for (const Piece& piece : pieces) {
        auto offset = static_cast<std::size_t>(static_cast<const unsigned char*>(pointer) - piece.threads.get());
        if (offset < piece.bytes) {
            return piece.address + static_cast<std::uint32_t>(offset);
        }
    }
    return NOWHERE;
}

SharedMemory::Piece* SharedMemory::containing(std::uint32_t address, std::size_t bytes) {
    for (Piece& piece : pieces) {
        if (address >= piece.address && address - piece.address + bytes <= piece.bytes) {
            return &piece;
        }
    }
    return nullptr;
}

void SharedMemory::separate(Piece& piece) const {
    piece.copies = std::make_unique<unsigned char[]>(piece.bytes);
    std::memset(piece.copies.get(), NAN_BYTE, piece.bytes);
    piece.box.assign(up_to(piece.bytes, CHUNK) / CHUNK, NOBODY);
}

void SharedMemory::separate() {
    separated = true;
    for (Piece& piece : pieces) {
        separate(piece);
    }
}

void SharedMemory::publish() {
    for (Piece& piece : pieces) {
        if (std::memcmp(piece.copies.get(), piece.threads.get(), piece.bytes) == 0) {
            continue;
        }
        for (std::size_t offset = 0; offset + CHUNK <= piece.bytes; offset += CHUNK) {
            if (!published(piece, offset)) {
                std::memcpy(piece.copies.get() + offset, piece.threads.get() + offset, CHUNK);
                piece.box[offset / CHUNK] = NOBODY;
            }
        }
    }
}

bool SharedMemory::published(const Piece& piece, std::size_t offset) {
    return std::memcmp(piece.copies.get() + offset, piece.threads.get() + offset, CHUNK) == 0;
}

bool SharedMemory::unwritten(const Piece& piece, std::size_t offset) {
    const unsigned char* chunk = piece.copies.get() + offset;
    return std::all_of(chunk, chunk + CHUNK, [](unsigned char byte) { return byte == NAN_BYTE; });
}

} // namespace emulator
