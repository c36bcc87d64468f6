// Tensors in global memory, cut into boxes that the device copies: the counterpart of cuTensorMapEncodeTiled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

/// As opaque as the driver's CUtensorMap, and of its size.
struct alignas(64) TensorMap {
    unsigned char bytes[128];
};

namespace emulator {

constexpr int MOST_AXES = 5;

/// A tensor map's contents, in the emulator's own format. Axis 0 is contiguous.
struct Boxes {
    std::uint32_t mark; // MARK
    std::uint8_t elementBytes;
    std::uint8_t axes;
    std::uint8_t swizzle; // bytes of a row whose chunks are exchanged: 0 or 128
    const unsigned char* tensor;
    std::uint64_t extent[MOST_AXES];
    std::uint64_t stride[MOST_AXES - 1]; // bytes, of axis 1 and up
    std::uint32_t box[MOST_AXES];

    static constexpr std::uint32_t MARK = 0x54454e53;

    /// Null if the map's bytes are not those of an encoded map.
    static const Boxes* of(const TensorMap* map);

    /// Why the device would refuse such a map, or an empty string.
    std::string mistake() const;

    std::size_t bytes() const; // of a box

    /// Copies the box whose first element is at `first`; elements outside the tensor are 0.
    void read(const int* first, unsigned char* to) const;
};

static_assert(sizeof(Boxes) <= sizeof(TensorMap));

} // namespace emulator
