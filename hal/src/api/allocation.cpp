#include "api/allocation.h"

#include <cinttypes>
#include <mutex>
#include <vector>

#include "api/instance.h"
#include "dispatch/device.h"
#include "dispatch/retire.h"
#include "emulation/shared.h"

namespace qiao {
namespace {

// Makes the allocation known by its address: the device's own, or one that is made here.
qiao_status enter_address(Memory& memory, qiao_memory* handle) {
    Device& device = memory.device->body;
    if (device.made_addresses == nullptr) {
        device.addresses.insert(memory.address, memory.size_bytes, handle);
        return QIAO_OK;
    }
    memory.address = device.made_addresses->insert(memory.size_bytes, handle, memory.allocation);
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

qiao_status check_allocation(qiao_device* device, const qiao_memory_desc& desc, const qiao_plugin_allocation& allocation, const char* slot) {
    if (allocation.allocation == nullptr) return device_fail_empty(device, slot, "allocation");
    if (allocation.size_bytes < desc.size_bytes) {
        release_allocation(device, allocation.allocation);
        return fail(QIAO_ERROR_PLUGIN, "plugin %s gave an allocation of %" PRIu64 " bytes for %" PRIu64, device->body.plugin_id.c_str(),
                    allocation.size_bytes, desc.size_bytes);
    }
    if (allocation.address != 0 || device->body.made_addresses != nullptr) return QIAO_OK;
    release_allocation(device, allocation.allocation);
    return fail(QIAO_ERROR_PLUGIN, "plugin %s gave no address for an allocation of %s, but does not say that the device has none",
                device->body.plugin_id.c_str(), device->body.id.c_str());
}

bool overlaps_allocation(const Device& device, uint64_t losses, uint64_t address, uint64_t size_bytes) {
    if (device.made_addresses != nullptr) return false;
    return device.addresses.overlaps(address, size_bytes, [losses](const qiao_memory* other) { return other->body.losses == losses; });
}

void release_allocation(qiao_device* device, void* allocation) {
    destroy_in_plugin(device, [&body = device->body, allocation] { body.tables.memory.memory_free(body.opened.load(), allocation); });
}

qiao_status publish(qiao_device* device, uint64_t losses, const qiao_memory_desc& desc, const qiao_plugin_allocation& allocation,
                    const std::shared_ptr<SharedMemory>& shared, const Sharing& sharing, qiao_memory** out_memory) {
    void* host_pointer = shared != nullptr ? shared->host_pointer() : allocation.host_pointer;
    auto* in_place = static_cast<std::byte*>(allocation.in_place != nullptr ? allocation.in_place : allocation.host_pointer);
    qiao_memory* memory = Slab<qiao_memory>::get().create(device, losses, allocation.allocation, allocation.address, desc.size_bytes, host_pointer,
                                                          desc.kind, in_place, shared, sharing);
    qiao_status status = enter_address(memory->body, memory);
    if (status == QIAO_OK && device_was_lost_since(device, losses)) {  // asked last: a reset forgets what is known by then
        leave_address(memory);
        status = device_fail_lost(device);
    }
    if (status != QIAO_OK) {
        release_allocation(device, allocation.allocation);
        drop_use(memory);
        return status;
    }
    device->body.allocated_bytes.fetch_add(desc.size_bytes);
    if (shared != nullptr) shared_added(device);
    instance_add_use(device->body.instance);
    *out_memory = memory;
    return QIAO_OK;
}

void retire_memory(qiao_memory* memory) {
    qiao_device* device = memory->body.device;
    leave_address(memory);
    const std::shared_ptr<SharedMemory> shared = memory->body.shared;
    if (shared != nullptr) {
        shared->release();
        shared_removed(device);
    }
    const Memory& body = memory->body;
    retire(device, [device, shared, sharing = body.sharing, losses = body.losses, allocation = body.allocation, size_bytes = body.size_bytes] {
        if (sharing.file != nullptr && device_was_lost_since(device, losses)) keep_for_ever(sharing.file);
        release_allocation(device, allocation);
        if (sharing.imported != nullptr) device->body.imported.leave(sharing.imported, losses);
        device->body.allocated_bytes.fetch_sub(size_bytes);
    });
}

}  // namespace qiao
