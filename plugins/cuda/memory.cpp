// Memory: on the device, of the host (pinned and mapped), managed by the driver, and the application's, registered. Blocking copies on
// the device's immediate stream; asynchronous ones are queue.cpp's.
#include "memory.h"

namespace qiao::cuda {
namespace {

const char* kind_name(qiao_memory_kind kind) {
    return kind == QIAO_MEMORY_KIND_HOST ? "host" : kind == QIAO_MEMORY_KIND_SHARED ? "shared" : "device";
}

void* pointer_of(Address address) {
    return reinterpret_cast<void*>(static_cast<uintptr_t>(address));
}

Code allocate_host(Device& device, Allocation& allocation, size_t size) {
    const Symbols& call = device.driver->call();
    void* pointer = nullptr;
    Code code = call.host_allocate(&pointer, size, device.driver->family().host_memory_flags);
    if (!device.driver->ok(code)) return code;
    if (code = call.host_address(&allocation.address, pointer, 0); !device.driver->ok(code)) {
        call.host_free(pointer);
        return code;
    }
    allocation.host = static_cast<char*>(pointer);
    allocation.base = static_cast<Address>(reinterpret_cast<uintptr_t>(pointer));
    return code;
}

Code allocate(Device& device, Allocation& allocation, qiao_memory_kind kind, size_t size) {
    using Origin = Allocation::Origin;
    const Symbols& call = device.driver->call();
    if (kind == QIAO_MEMORY_KIND_HOST) {
        allocation.origin = Origin::kHost;
        return allocate_host(device, allocation, size);
    }
    const bool managed = kind == QIAO_MEMORY_KIND_SHARED;
    allocation.origin = managed ? Origin::kManaged : Origin::kDevice;
    const Code code = managed ? call.managed_allocate(&allocation.base, size, kManagedForEverybody) : call.memory_allocate(&allocation.base, size);
    allocation.address = allocation.base;
    return code;
}

// Libraries align to what the family's data says; for more a larger piece is taken and its beginning left.
void align(Allocation& allocation, uint64_t alignment) {
    const Address aligned = (allocation.address + alignment - 1) & ~(alignment - 1);
    if (allocation.host != nullptr) allocation.host += aligned - allocation.address;
    allocation.address = aligned;
    if (allocation.origin == Allocation::Origin::kManaged) allocation.host = static_cast<char*>(pointer_of(aligned));
}

bool works(const Device& device, qiao_memory_kind kind) {
    return kind == QIAO_MEMORY_KIND_HOST ? device.works.host_memory : kind == QIAO_MEMORY_KIND_SHARED ? device.works.managed_memory : true;
}

void give_out(std::unique_ptr<Allocation> allocation, qiao_plugin_allocation* out) {
    out->address = allocation->address;
    out->host_pointer = allocation->host;
    out->size_bytes = allocation->size_bytes;
    out->allocation = allocation.release();
}

} // namespace

static qiao_status cuda_memory_allocate(void* device_pointer, const qiao_plugin_memory_desc* desc, qiao_plugin_allocation* out_allocation) {
    Device& device = *static_cast<Device*>(device_pointer);
    return plugin::guarded(device.driver->host(), "memory_allocate", [&]() -> qiao_status {
        if (!works(device, desc->kind))
            return device.driver->host().fail({.status = QIAO_ERROR_UNSUPPORTED,
                                               .message = text("%s memory was tried out on %s when it was opened, and does not work", kind_name(desc->kind), device.record->info.name),
                                               .remedy = "ask for device memory"});
        const uint64_t excess = desc->alignment > device.driver->family().allocation_alignment ? desc->alignment : 0;
        auto allocation = std::make_unique<Allocation>();
        allocation->size_bytes = desc->size_bytes;
        const Current current(device);
        if (const Code code = allocate(device, *allocation, desc->kind, desc->size_bytes + excess); !device.driver->ok(code)) {
            return device_failed(device, code,
                                 text("%s could not allocate %llu bytes of %s memory; it has %llu in all", device.record->info.name,
                                      static_cast<unsigned long long>(desc->size_bytes), kind_name(desc->kind),
                                      static_cast<unsigned long long>(device.record->info.memory_bytes)),
                                 "free memory or ask for less");
        }
        align(*allocation, desc->alignment);
        give_out(std::move(allocation), out_allocation);
        return QIAO_OK;
    });
}

static void cuda_memory_free(void* device_pointer, void* allocation_pointer) {
    Device& device = *static_cast<Device*>(device_pointer);
    const std::unique_ptr<Allocation> allocation(static_cast<Allocation*>(allocation_pointer));
    const Symbols& call = device.driver->call();
    if (device.lost.load() && allocation->origin != Allocation::Origin::kRegistered) return; // goes with the context
    const Current current(device);
    switch (allocation->origin) {
        case Allocation::Origin::kDevice:
        case Allocation::Origin::kManaged:
            call.memory_free(allocation->base);
            break;
        case Allocation::Origin::kHost:
            call.host_free(pointer_of(allocation->base));
            break;
        case Allocation::Origin::kRegistered:
            device.driver->unregister_host(allocation->host);
            break;
        case Allocation::Origin::kApplication:
            break;
    }
}

static qiao_status cuda_memory_write(void* device_pointer, void* allocation_pointer, uint64_t offset, const void* source, uint64_t size_bytes) {
    Device& device = *static_cast<Device*>(device_pointer);
    const auto& allocation = *static_cast<const Allocation*>(allocation_pointer);
    if (size_bytes == 0) return QIAO_OK;
    return plugin::guarded(device.driver->host(), "memory_write", [&]() -> qiao_status {
        const Current current(device);
        if (allocation.host != nullptr) { // behind what was launched without a queue, as a copy on the stream would be
            if (const qiao_status status = finish(device, device.immediate, "a write to memory"); status != QIAO_OK) return status;
            std::memcpy(allocation.host + offset, source, size_bytes);
            return QIAO_OK;
        }
        const Code code = device.driver->write_async(allocation.address + offset, source, size_bytes, device.immediate);
        if (!device.driver->ok(code)) return device_failed(device, code, text("a write of %llu bytes", static_cast<unsigned long long>(size_bytes)));
        return finish(device, device.immediate, "a write to memory");
    });
}

static qiao_status cuda_memory_read(void* device_pointer, void* allocation_pointer, uint64_t offset, void* target, uint64_t size_bytes) {
    Device& device = *static_cast<Device*>(device_pointer);
    const auto& allocation = *static_cast<const Allocation*>(allocation_pointer);
    if (size_bytes == 0) return QIAO_OK;
    return plugin::guarded(device.driver->host(), "memory_read", [&]() -> qiao_status {
        const Current current(device);
        if (allocation.host != nullptr) {
            if (const qiao_status status = finish(device, device.immediate, "a read from memory"); status != QIAO_OK) return status;
            std::memcpy(target, allocation.host + offset, size_bytes);
            return QIAO_OK;
        }
        const Code code = device.driver->read_async(target, allocation.address + offset, size_bytes, device.immediate);
        if (!device.driver->ok(code)) return device_failed(device, code, text("a read of %llu bytes", static_cast<unsigned long long>(size_bytes)));
        return finish(device, device.immediate, "a read from memory");
    });
}

static qiao_status cuda_memory_import(void* device_pointer, const qiao_plugin_memory_desc* desc, const qiao_plugin_import* import,
                                      qiao_plugin_allocation* out_allocation) {
    Device& device = *static_cast<Device*>(device_pointer);
    return plugin::guarded(device.driver->host(), "memory_import", [&]() -> qiao_status {
        auto allocation = std::make_unique<Allocation>();
        allocation->origin = Allocation::Origin::kRegistered;
        allocation->host = static_cast<char*>(import->host_pointer);
        allocation->size_bytes = desc->size_bytes;
        const Current current(device);
        Code code = device.driver->register_host(import->host_pointer, desc->size_bytes);
        if (!device.driver->ok(code)) {
            check_lost(device, code);
            const std::string name = device.driver->name_of(code);
            return device.driver->host().fail({.status = device.lost.load() ? QIAO_ERROR_DEVICE_LOST : QIAO_ERROR_UNSUPPORTED,
                                               .message = text("%s does not take %llu bytes of host memory as they lie: %s", device.record->info.name,
                                                               static_cast<unsigned long long>(desc->size_bytes), name.c_str()),
                                               .remedy = "copy the memory, or allocate it as host memory of the device",
                                               .vendor_code = code,
                                               .vendor_text = name});
        }
        if (code = device.driver->call().host_address(&allocation->address, import->host_pointer, 0); !device.driver->ok(code)) {
            device.driver->unregister_host(import->host_pointer);
            return device_failed(device, code, "registered host memory has no address on the device");
        }
        give_out(std::move(allocation), out_allocation);
        return QIAO_OK;
    });
}

const qiao_plugin_memory_ops cuda_memory_ops = {
    sizeof(qiao_plugin_memory_ops),
    cuda_memory_allocate,
    cuda_memory_free,
    cuda_memory_write,
    cuda_memory_read,
    nullptr, // memory_map: device memory has no view of the host's, the rest has host pointers
    nullptr, // memory_unmap
    cuda_memory_native,
    cuda_memory_wrap,
    cuda_memory_import,
    nullptr, // memory_export
    nullptr, // memory_evict
    nullptr, // memory_restore
};

} // namespace qiao::cuda
