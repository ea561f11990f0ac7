// Every map is remembered, so that an unmap of anything else is refused.
#include "emulation/map.h"

#include <algorithm>

#include "dispatch/device.h"
#include "emulation/copy.h"

namespace qiao {
namespace {

qiao_status map_natively(Memory& memory, uint64_t offset, uint64_t size_bytes, qiao_access access, void** out_pointer) {
    Device& device = memory.device->body;
    void* pointer = nullptr;
    {
        SlotGuard guard(device);
        if (!guard) return device_fail_lost(memory.device);
        const qiao_status status = device.tables.memory.memory_map(device.opened.load(), memory.allocation, offset, size_bytes, access, &pointer);
        if (status == QIAO_ERROR_UNSUPPORTED) {
            clear_plugin_error();
            return status;
        }
        if (status != QIAO_OK) return device_slot_failed(memory.device, status, "memory_map", memory.losses);
    }
    if (pointer == nullptr) return device_fail_empty(memory.device, "memory_map", "pointer");
    std::lock_guard guard(memory.mapping);
    memory.native_maps.push_back(pointer);
    *out_pointer = pointer;
    return QIAO_OK;
}

qiao_status map_copy(Memory& memory, uint64_t offset, uint64_t size_bytes, qiao_access access, void** out_pointer) {
    HostCopy copy{std::make_unique<std::byte[]>(size_bytes), offset, size_bytes, access};
    // Also for writing only: bytes that the application leaves alone must survive the unmap.
    QIAO_RETURN_IF_ERROR(device_read({memory.device, memory.losses}, memory.allocation, offset, copy.bytes.get(), size_bytes));
    std::lock_guard guard(memory.mapping);
    *out_pointer = copy.bytes.get();
    memory.host_copies.push_back(std::move(copy));
    return QIAO_OK;
}

}  // namespace

qiao_status memory_map(Memory& memory, uint64_t offset, uint64_t size_bytes, qiao_access access, void** out_pointer) {
    if (memory.shared == nullptr && memory.device->body.tables.memory.memory_map != nullptr) {
        const qiao_status status = map_natively(memory, offset, size_bytes, access, out_pointer);
        if (status != QIAO_ERROR_UNSUPPORTED) return status;
    }
    if (memory.host_pointer == nullptr) return map_copy(memory, offset, size_bytes, access, out_pointer);
    *out_pointer = static_cast<std::byte*>(memory.host_pointer) + offset;
    std::lock_guard guard(memory.mapping);
    memory.pointer_maps.push_back(*out_pointer);
    return QIAO_OK;
}

qiao_status memory_unmap(Memory& memory, void* pointer) {
    std::unique_lock guard(memory.mapping);
    const auto forget = [pointer](std::vector<void*>& maps) {
        const auto found = std::find(maps.begin(), maps.end(), pointer);
        if (found == maps.end()) return false;
        maps.erase(found);
        return true;
    };
    if (forget(memory.pointer_maps)) return QIAO_OK;
    if (forget(memory.native_maps)) {
        guard.unlock();
        Device& device = memory.device->body;
        SlotGuard slots(device);
        if (!slots) return device_fail_lost(memory.device);
        const qiao_status status = device.tables.memory.memory_unmap(device.opened.load(), memory.allocation, pointer);
        return status == QIAO_OK ? QIAO_OK : device_slot_failed(memory.device, status, "memory_unmap", memory.losses);
    }
    const auto found = std::find_if(memory.host_copies.begin(), memory.host_copies.end(),
                                    [pointer](const HostCopy& copy) { return copy.bytes.get() == pointer; });
    if (found == memory.host_copies.end()) {
        return fail(QIAO_ERROR_INVALID_ARGUMENT, "%p is not a mapping of this allocation, or was unmapped already", pointer);
    }
    const HostCopy copy = std::move(*found);
    memory.host_copies.erase(found);
    guard.unlock();
    if ((copy.access & QIAO_ACCESS_WRITE) == 0) return QIAO_OK;
    return device_write({memory.device, memory.losses}, memory.allocation, copy.offset, copy.bytes.get(), copy.size_bytes);
}

}  // namespace qiao
