/* Structures of CUDA's shape that cross the interface. */
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/memory.h"

namespace fakes {

inline constexpr unsigned kHostMemory = 1, kDeviceMemory = 2, kUnifiedMemory = 4;

struct CopyEnd2d {
    size_t x_bytes, y;
    unsigned memory_type;
    const void* host;
    uint64_t device;
    void* array;
    size_t pitch;
};
struct Copy2d {
    CopyEnd2d source, target;
    size_t width_bytes, height;
};

struct CopyEnd3d {
    size_t x_bytes, y, z, level;
    unsigned memory_type;
    const void* host;
    uint64_t device;
    void* array;
    void* reserved;
    size_t pitch, height;
};
struct Copy3d {
    CopyEnd3d source, target;
    size_t width_bytes, height, depth;
};

struct LaunchConfig {
    unsigned groups[3], group[3];
    unsigned shared_bytes;
    void* stream;
    void* attributes;
    unsigned attribute_count;
};

/* The byte that an end begins at, and what it may be. */
template <class CopyEnd>
End end_of(const CopyEnd& end, uint64_t offset) {
    switch (end.memory_type) {
        case kHostMemory:
            return {Side::kHost, reinterpret_cast<uintptr_t>(end.host) + offset};
        case kDeviceMemory:
            return {Side::kDevice, end.device + offset};
        case kUnifiedMemory:
            return {Side::kEither, end.device + offset};
        default:
            fail(Error::kNotSupported); /* arrays */
    }
}

struct PlacedBox {
    End target, source;
    Box box;
};
PlacedBox placed(const Copy2d* copy);
PlacedBox placed(const Copy3d* copy);

template <class Desc>
void copy_described(const Desc* desc) {
    const PlacedBox at = placed(desc);
    copy_box(at.target, at.source, at.box);
}
template <class Desc>
void copy_described_async(const Desc* desc, void* stream) {
    const PlacedBox at = placed(desc);
    copy_box_async(at.target, at.source, at.box, stream);
}

} // namespace fakes
