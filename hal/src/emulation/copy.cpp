// Data passes through a host buffer in chunks, unless one side is host memory already.
#include "emulation/copy.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "dispatch/device.h"

namespace qiao {
namespace {

constexpr uint64_t kChunkBytes = 4u << 20;

std::byte* host_pointer(const qiao_plugin_place& place) {
    return reinterpret_cast<std::byte*>(static_cast<uintptr_t>(place.address));
}

qiao_status copy_row(qiao_device* source_device, const qiao_plugin_place& source, qiao_device* target_device,
                     const qiao_plugin_place& target, uint64_t size_bytes, std::vector<std::byte>& buffer) {
    if (source_device == nullptr && target_device == nullptr) {
        std::memcpy(host_pointer(target), host_pointer(source), size_bytes);
        return QIAO_OK;
    }
    if (source_device == nullptr) return device_write(target_device, target.allocation, target.offset, host_pointer(source), size_bytes);
    if (target_device == nullptr) return device_read(source_device, source.allocation, source.offset, host_pointer(target), size_bytes);
    buffer.resize(std::min(size_bytes, kChunkBytes));
    for (uint64_t done = 0; done < size_bytes;) {
        const uint64_t chunk = std::min<uint64_t>(buffer.size(), size_bytes - done);
        QIAO_RETURN_IF_ERROR(device_read(source_device, source.allocation, source.offset + done, buffer.data(), chunk));
        QIAO_RETURN_IF_ERROR(device_write(target_device, target.allocation, target.offset + done, buffer.data(), chunk));
        done += chunk;
    }
    return QIAO_OK;
}

qiao_plugin_place advanced(const qiao_plugin_place& place, uint64_t bytes) {
    return {place.allocation, place.offset + bytes, place.address + bytes};
}

}  // namespace

qiao_status device_read(qiao_device* device, void* allocation, uint64_t offset, void* target, uint64_t size_bytes) {
    Device& body = device->body;
    SlotGuard guard(body);
    if (!guard) return device_fail_lost(device);
    const qiao_status status = body.tables.memory.memory_read(body.opened.load(), allocation, offset, target, size_bytes);
    return status == QIAO_OK ? status : device_slot_failed(device, status, "memory_read");
}

qiao_status device_write(qiao_device* device, void* allocation, uint64_t offset, const void* source, uint64_t size_bytes) {
    Device& body = device->body;
    SlotGuard guard(body);
    if (!guard) return device_fail_lost(device);
    const qiao_status status = body.tables.memory.memory_write(body.opened.load(), allocation, offset, source, size_bytes);
    return status == QIAO_OK ? status : device_slot_failed(device, status, "memory_write");
}

qiao_status staged_copy(qiao_device* source_device, qiao_device* target_device, const qiao_plugin_copy& copy) {
    std::vector<std::byte> buffer;
    for (uint64_t row = 0; row < copy.rows; ++row) {
        QIAO_RETURN_IF_ERROR(copy_row(source_device, advanced(copy.source, row * copy.source_pitch), target_device,
                                      advanced(copy.target, row * copy.target_pitch), copy.size_bytes, buffer));
    }
    return QIAO_OK;
}

qiao_status staged_fill(qiao_device* device, const qiao_plugin_fill& fill) {
    const uint64_t chunk = std::min(fill.size_bytes, kChunkBytes);
    std::vector<std::byte> buffer(chunk);
    for (uint64_t at = 0; at < chunk; at += fill.pattern_size) std::memcpy(buffer.data() + at, fill.pattern, fill.pattern_size);
    for (uint64_t done = 0; done < fill.size_bytes;) {
        const uint64_t bytes = std::min<uint64_t>(chunk, fill.size_bytes - done);
        if (device == nullptr) {
            std::memcpy(host_pointer(fill.target) + done, buffer.data(), bytes);
        } else {
            QIAO_RETURN_IF_ERROR(device_write(device, fill.target.allocation, fill.target.offset + done, buffer.data(), bytes));
        }
        done += bytes;
    }
    return QIAO_OK;
}

}  // namespace qiao
