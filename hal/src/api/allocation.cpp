#include "api/allocation.h"

#include <cinttypes>
#include <mutex>
#include <vector>

#include "api/instance.h"
#include "dispatch/allocation.h"
#include "dispatch/device.h"
#include "dispatch/retire.h"
#include "emulation/shared.h"

namespace qiao {
namespace {

// Makes the allocation known by its address: the device's own, or one that is made here.
qiao_status enter_address(Memory& memory, void* plugin_allocation, qiao_memory* handle) {
    Device& device = memory.device->body;
    if (device.made_addresses == nullptr) {
        device.addresses.insert(memory.address, memory.size_bytes, handle);
        return QIAO_OK;
    }
    memory.address = device.made_addresses->insert(memory.size_bytes, handle, plugin_allocation);
    if (memory.address != 0) return QIAO_OK;
    return fail(QIAO_ERROR_OUT_OF_MEMORY, "%s has %u allocations, as many as there are addresses for; release some", device.id.c_str(),
                AddressTable<qiao_memory>::kMaxAllocations);
}

void leave_address(const qiao_memory* memory) {
    Device& device = memory->body.device->body;
    if (device.made_addresses != nullptr) {
        device.made_addresses->erase(memory->body.address);
    } else {
        device.addresses.erase(memory->body.address, memory);
    }
}

// Nobody knows what a lost card still writes, so where it may, there stays memory.
void keep_for_ever(std::shared_ptr<MemoryFile> file) {
    static std::mutex mutex;
    static auto& kept = *new std::vector<std::shared_ptr<MemoryFile>>;
    std::lock_guard guard(mutex);
    kept.push_back(std::move(file));
}

}  // namespace

bool overlaps_allocation(const Device& device, uint64_t losses, uint64_t address, uint64_t size_bytes) {
    if (device.made_addresses != nullptr) return false;
    return device.addresses.overlaps(address, size_bytes, [losses](const qiao_memory* other) { return other->body.losses == losses; });
}

qiao_status publish(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, const qiao_plugin_allocation& allocation,
                    const std::shared_ptr<SharedMemory>& shared, const Sharing& sharing, qiao_memory** out_memory) {
    void* host_pointer = shared != nullptr ? shared->host_pointer() : allocation.host_pointer;
    void* own_allocation = shared != nullptr ? nullptr : allocation.allocation;
    auto* in_place = static_cast<std::byte*>(allocation.in_place != nullptr ? allocation.in_place : allocation.host_pointer);
    if (shared != nullptr) in_place = nullptr;  // it may move
    qiao_memory* memory = Slab<qiao_memory>::get().create(device, losses, own_allocation, allocation.address, desc.size_bytes, host_pointer,
                                                          desc.kind, in_place, shared, sharing);
    qiao_status status = enter_address(memory->body, allocation.allocation, memory);
    if (status == QIAO_OK && device_was_lost_since(device, losses)) {  // asked last: a reset forgets what is known by then
        leave_address(memory);
        status = device_fail_lost(device);
    }
    if (status != QIAO_OK) {
        free_allocation(device, allocation.allocation);
        drop_use(memory);
        return status;
    }
    device->body.allocated_bytes.fetch_add(desc.size_bytes);
    if (shared != nullptr) shared_added(shared, memory->body.address);
    instance_add_use(device->body.instance);
    *out_memory = memory;
    return QIAO_OK;
}

void retire_memory(qiao_memory* memory) {
    qiao_device* device = memory->body.device;
    leave_address(memory);
    const Memory& body = memory->body;
    const std::shared_ptr<SharedMemory> shared = body.shared;
    DevicePart part = {body.allocation, body.size_bytes};
    if (shared != nullptr) {
        part = shared->release();
        shared_removed(shared);
    }
    retire(device, [device, shared, part, sharing = body.sharing, losses = body.losses] {
        if (sharing.file != nullptr && device_was_lost_since(device, losses)) keep_for_ever(sharing.file);
        if (part.allocation != nullptr) free_allocation(device, part.allocation);
        if (sharing.imported != nullptr) device->body.imported.leave(sharing.imported, losses);
        device->body.allocated_bytes.fetch_sub(part.resident_bytes);
    });
}

}  // namespace qiao
