// Memory: the model's allocations, and blocking copies.
#include <memory>

#include "device.h"

namespace qiao::mock_plugin {
namespace {

mock::MemoryKind kind_of(qiao_memory_kind kind) {
    switch (kind) {
        case QIAO_MEMORY_KIND_HOST:
            return mock::MemoryKind::kHost;
        case QIAO_MEMORY_KIND_SHARED:
            return mock::MemoryKind::kShared;
        default:
            return mock::MemoryKind::kDevice;
    }
}

bool host_can_touch(const Device& device, qiao_memory_kind kind) {
    return kind != QIAO_MEMORY_KIND_DEVICE || device.card->profile().kind == mock::CardKind::kUnified;
}

// With the device's mutex held.
void hand_out(Device& device, std::unique_ptr<Allocation> allocation, mock::Allocation* native, const qiao_plugin_memory_desc& desc,
              qiao_plugin_allocation* out_allocation) {
    allocation->native = native;
    allocation->address = native->address.load(std::memory_order_relaxed);
    allocation->epoch = device.epoch;
    allocation->host_visible = host_can_touch(device, desc.kind);
    qiao_plugin_allocation made = {};
    if (device.card->profile().addresses) made.address = allocation->address;
    if (device.card->profile().coinciding_addresses)
        made.address = allocation->number = device.numbers.give(allocation->address, desc.size_bytes, desc.alignment);
    made.size_bytes = desc.size_bytes;
    if (allocation->host_visible) made.host_pointer = reinterpret_cast<void*>(allocation->address);
    made.allocation = allocation.release();
    plugin::write_growing(out_allocation, made);
}

qiao_status memory_allocate(void* pointer, const qiao_plugin_memory_desc* desc,
                            qiao_plugin_allocation* out_allocation) {
    Device& device = plugin::object<Device>(pointer);
    return plugin::guarded(device.host, "memory_allocate", [&]() -> qiao_status {
        auto allocation = std::make_unique<Allocation>();
        const std::lock_guard lock(device.mutex);
        const mock::Result<mock::Allocation*> native =
            device.card->allocate(desc->size_bytes, desc->alignment, kind_of(desc->kind));
        if (!native.ok()) return report(device.host, native.status());
        hand_out(device, std::move(allocation), native.value(), *desc, out_allocation);
        return QIAO_OK;
    });
}

// The card reaches all memory of the process.
qiao_status memory_import(void* pointer, const qiao_plugin_memory_desc* desc, const qiao_plugin_import* import, qiao_plugin_allocation* out_allocation) {
    Device& device = plugin::object<Device>(pointer);
    return plugin::guarded(device.host, "memory_import", [&]() -> qiao_status {
        auto allocation = std::make_unique<Allocation>();
        const std::lock_guard lock(device.mutex);
        const mock::Result<mock::Allocation*> native = device.card->import(reinterpret_cast<uintptr_t>(import->host_pointer), desc->size_bytes);
        if (!native.ok()) return report(device.host, native.status());
        hand_out(device, std::move(allocation), native.value(), *desc, out_allocation);
        return QIAO_OK;
    });
}

void memory_free(void* pointer, void* allocation_pointer) {
    Device& device = plugin::object<Device>(pointer);
    const std::unique_ptr<Allocation> allocation(static_cast<Allocation*>(allocation_pointer));
    if (allocation->number != 0) device.numbers.take_back(allocation->number);
    const std::lock_guard lock(device.mutex); // no reset in between
    if (allocation->epoch == device.epoch) device.card->free(allocation->native);
}

qiao_status memory_write(void* pointer, void* allocation, uint64_t offset, const void* source, uint64_t size_bytes) {
    Device& device = plugin::object<Device>(pointer);
    return report(device.host,
                  device.card->write(plugin::object<Allocation>(allocation).address + offset, source, size_bytes));
}

qiao_status memory_read(void* pointer, void* allocation, uint64_t offset, void* target, uint64_t size_bytes) {
    Device& device = plugin::object<Device>(pointer);
    return report(device.host,
                  device.card->read(plugin::object<Allocation>(allocation).address + offset, target, size_bytes));
}

// A discrete card's own memory cannot be touched by the host.
qiao_status memory_map(void* pointer, void* allocation_pointer, uint64_t offset, uint64_t, uint64_t, void** out_pointer) {
    Device& device = plugin::object<Device>(pointer);
    const Allocation& allocation = plugin::object<Allocation>(allocation_pointer);
    if (!allocation.host_visible) return QIAO_ERROR_UNSUPPORTED;
    if (const mock::Status loss = device.card->loss(); !loss.ok()) return report(device.host, loss);
    const std::lock_guard lock(device.mutex);
    if (allocation.epoch != device.epoch) return QIAO_ERROR_DEVICE_LOST;
    *out_pointer = reinterpret_cast<void*>(allocation.address + offset);
    return QIAO_OK;
}

// Nothing was made for the map.
qiao_status memory_unmap(void*, void*, void*) {
    return QIAO_OK;
}

qiao_status memory_evict(void* pointer, void* allocation_pointer) {
    Device& device = plugin::object<Device>(pointer);
    return plugin::guarded(device.host, "memory_evict", [&]() -> qiao_status {
        const Allocation& allocation = plugin::object<Allocation>(allocation_pointer);
        const std::lock_guard lock(device.mutex);
        if (allocation.epoch != device.epoch) return QIAO_ERROR_DEVICE_LOST;
        return report(device.host, device.card->evict(allocation.native));
    });
}

qiao_status memory_restore(void* pointer, void* allocation_pointer) {
    Device& device = plugin::object<Device>(pointer);
    return plugin::guarded(device.host, "memory_restore", [&]() -> qiao_status {
        const Allocation& allocation = plugin::object<Allocation>(allocation_pointer);
        const std::lock_guard lock(device.mutex);
        if (allocation.epoch != device.epoch) return QIAO_ERROR_DEVICE_LOST;
        return report(device.host, device.card->restore(allocation.native));
    });
}

} // namespace

const qiao_plugin_memory_ops mock_memory_ops = {
    sizeof(qiao_plugin_memory_ops), memory_allocate, memory_free, memory_write, memory_read, memory_map, memory_unmap,
    nullptr, // memory_native
    nullptr, // memory_wrap
    memory_import,
    nullptr, // memory_export: there is no driver that would hand anything over
    memory_evict,
    memory_restore,
};

} // namespace qiao::mock_plugin
