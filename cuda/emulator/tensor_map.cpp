#include "tensor_map.h"

#include "launch.h"

#include <cstring>

namespace emulator {

const Boxes* Boxes::of(const TensorMap* map) {
    auto boxes = reinterpret_cast<const Boxes*>(map->bytes);
    return reinterpret_cast<std::uintptr_t>(map) % alignof(TensorMap) == 0 && boxes->mark == MARK ? boxes : nullptr;
}

// The rules of cuTensorMapEncodeTiled, CUDA driver API.
std::string Boxes::mistake() const {
    if (axes < 1 || axes > MOST_AXES) {
        return "a tensor map has 1 to 5 axes";
    }
    if (elementBytes != 2 && elementBytes != 4 && elementBytes != 8) {
        return "elements have 2, 4 or 8 bytes";
    }
    if (reinterpret_cast<std::uintptr_t>(tensor) % 16 != 0) {
        return "a tensor's address is a multiple of 16";
    }
    for (int axis = 0; axis < axes; axis++) {
        if (extent[axis] < 1 || extent[axis] > 1ull << 32 || box[axis] < 1 || box[axis] > 256) {
            return "an axis has 1 to 2^32 elements, and 1 to 256 of a box";
        }
        if (axis > 0 && (stride[axis - 1] % 16 != 0 || stride[axis - 1] >= 1ull << 40)) {
            return "a stride is a multiple of 16 bytes and below 2^40";
        }
    }
    std::size_t row = static_cast<std::size_t>(box[0]) * elementBytes;
    if (row % 16 != 0 || (swizzle != 0 && swizzle != 128) || (swizzle == 128 && row > 128)) {
        return "a row of a box has a multiple of 16 bytes, and at most 128 with the swizzle of 128 bytes";
    }
    return "";
}

std::size_t Boxes::bytes() const {
    std::size_t bytes = elementBytes;
    for (int axis = 0; axis < axes; axis++) {
        bytes *= box[axis];
    }
    return bytes;
}

void Boxes::read(const int* first, unsigned char* to) const {
    std::size_t rows = bytes() / elementBytes / box[0];
    for (std::size_t row = 0; row < rows; row++) {
        bool inside = true;
        const unsigned char* from = tensor;
        std::size_t rest = row;
        for (int axis = 1; axis < axes; axis++) {
            std::int64_t at = first[axis] + static_cast<std::int64_t>(rest % box[axis]);
            rest /= box[axis];
            inside = inside && at >= 0 && at < static_cast<std::int64_t>(extent[axis]);
            from += inside ? at * static_cast<std::int64_t>(stride[axis - 1]) : 0;
        }
        for (std::uint32_t i = 0; i < box[0]; i++, to += elementBytes) {
            std::int64_t at = first[0] + static_cast<std::int64_t>(i);
            if (inside && at >= 0 && at < static_cast<std::int64_t>(extent[0])) {
                std::memcpy(to, from + at * elementBytes, elementBytes);
            } else {
                std::memset(to, 0, elementBytes);
            }
        }
    }
}

} // namespace emulator

const char* headscope_tensor_map(void* map, int element_bytes, int axes, void* tensor, const uint64_t* extent,
                                 const uint64_t* stride, const uint32_t* box, int swizzle) {
    static thread_local std::string mistake;
    emulator::Boxes boxes{};
    boxes.mark = emulator::Boxes::MARK;
    boxes.elementBytes = static_cast<std::uint8_t>(element_bytes);
    boxes.axes = static_cast<std::uint8_t>(axes);
    boxes.swizzle = static_cast<std::uint8_t>(swizzle);
    boxes.tensor = static_cast<const unsigned char*>(tensor);
    for (int axis = 0; axis < axes && axis < emulator::MOST_AXES; axis++) {
        boxes.extent[axis] = extent[axis];
        boxes.box[axis] = box[axis];
        if (axis > 0) {
            boxes.stride[axis - 1] = stride[axis - 1];
        }
    }
    mistake = boxes.mistake();
    std::memset(map, 0, sizeof(TensorMap));
    if (mistake.empty()) {
        std::memcpy(map, &boxes, sizeof boxes);
    }
    return mistake.c_str();
}
